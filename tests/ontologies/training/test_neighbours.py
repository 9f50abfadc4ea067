"""Steps of names that are hard to tell apart."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ontologies.encoder import NameEncoder
from ontologies.training.neighbours import near_texts, order_by_neighbourhood
from ontologies.training.synonyms import Synonyms


def some_pairs(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    concept = rng.integers(0, 1 + count // 2, count)
    return np.stack([np.arange(count), np.arange(count) + count, concept], axis=1)


@given(seed=st.integers(0, 500), count=st.integers(0, 40), neighbours=st.sampled_from([0, 1, 3, 7]))
def test_every_pair_comes_once_and_neighbours_come_together(
    seed: int, count: int, neighbours: int
) -> None:
    pairs = some_pairs(seed, count)
    near = {text: [t for t in range(text - 5, text + 6) if t != text] for text in range(count)}
    order = order_by_neighbourhood(pairs, near, neighbours, seed)
    assert sorted(order.tolist()) == list(range(count))
    again = order_by_neighbourhood(pairs, near, neighbours, seed)
    assert again.tolist() == order.tolist()


def test_a_pair_is_joined_by_the_nearest_of_other_concepts() -> None:
    pairs = np.array([[0, 5, 0], [1, 6, 0], [2, 7, 1], [3, 8, 2], [4, 9, 3]])
    near = {0: [1, 2, 3], 1: [0, 2, 3], 2: [0, 3], 3: [2, 0], 4: [3]}
    order = order_by_neighbourhood(pairs, near, 2, seed=1).tolist()
    place = {row: at for at, row in enumerate(order)}
    first = min((0, 1, 2, 3), key=place.__getitem__)
    group = order[place[first] : place[first] + 3]
    concepts = pairs[group, 2].tolist()
    assert len(set(concepts)) == len(concepts)


def test_near_texts_are_the_nearest_and_not_the_text_itself(random_encoder: NameEncoder) -> None:
    texts = ["fever", "fevers", "gout", "gouts", "x"]
    synonyms = Synonyms(texts, np.arange(5), np.arange(5), 5)
    pairs = np.array([[row, row, row] for row in range(5)])
    near = near_texts(random_encoder, synonyms, pairs, 1)
    vectors = random_encoder.encode(texts)
    cosines = vectors @ vectors.T - 2 * np.eye(5)
    assert [near[row][0] for row in range(5)] == cosines.argmax(axis=1).tolist()
