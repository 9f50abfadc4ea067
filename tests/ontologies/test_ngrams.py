from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontologies.ngrams import index_grams, nearest, restrict

FORMS = ["asthma", "asthma bronchial", "bronchitis", "migraine", "zzz"]
INDEX = index_grams(FORMS)


def everything(count: int = len(FORMS)) -> np.ndarray:
    return np.ones(count, dtype=np.bool_)


def by_definition(indexed: list[str], asked: str) -> list[float]:
    """Cosine of TF-IDF vectors in plain Python."""

    def grams(form: str) -> Counter[str]:
        text = f" {form} "
        return Counter(text[i : i + 3] for i in range(len(text) - 2))

    frequency = Counter(gram for form in indexed for gram in grams(form))
    documents = Counter(gram for form in indexed for gram in set(grams(form)))
    assert set(documents) == set(frequency)
    idf = {g: math.log((1 + len(indexed)) / (1 + n)) + 1 for g, n in documents.items()}
    unknown = max(idf.values())

    def vector(form: str) -> dict[str, float]:
        return {g: (1 + math.log(n)) * idf.get(g, unknown) for g, n in grams(form).items()}

    def length(values: dict[str, float]) -> float:
        return math.sqrt(sum(value**2 for value in values.values()))

    left = vector(asked)
    return [
        sum(weight * right.get(gram, 0) for gram, weight in left.items())
        / (length(left) * length(right))
        for right in map(vector, indexed)
    ]


@pytest.mark.parametrize("asked", ["asthmatic", "bronchial asthma", "migrain", "zzzzz", "asthma"])
def test_similarity_is_the_cosine_of_tfidf(asked: str) -> None:
    _, form, score = nearest(INDEX, restrict(INDEX, everything()), [asked], 5, 0.0)
    found = dict(zip(form.tolist(), score.tolist(), strict=True))
    for row, expected in enumerate(by_definition(FORMS, asked)):
        assert found.get(row, 0.0) == pytest.approx(expected, abs=1e-5)


def test_best_first_no_more_than_asked_and_above_the_floor() -> None:
    search = restrict(INDEX, everything())
    _, form, score = nearest(INDEX, search, ["asthma bronchial"], 2, 0.1)
    assert form.tolist()[0] == 1
    assert len(form) == 2
    assert score.tolist() == sorted(score.tolist(), reverse=True)
    assert nearest(INDEX, search, ["asthma"], 5, 0.99)[1].tolist() == [0]


def test_only_allowed_forms() -> None:
    allowed = np.array([False, True, True, True, True])
    _, form, _ = nearest(INDEX, restrict(INDEX, allowed), ["asthma"], 5, 0.0)
    assert form.tolist()[0] == 1
    assert 0 not in form.tolist()


@pytest.mark.parametrize("asked", ["", "ж", "qqqq"])
def test_nothing_in_common(asked: str) -> None:
    assert nearest(INDEX, restrict(INDEX, everything()), [asked], 5, 0.0)[1].tolist() == []


def test_empty_index_query_and_restriction() -> None:
    empty = index_grams([])
    assert nearest(empty, restrict(empty, everything(0)), ["asthma"], 5, 0.0)[1].tolist() == []
    assert nearest(INDEX, restrict(INDEX, everything()), [], 5, 0.0)[1].tolist() == []
    assert nearest(INDEX, restrict(INDEX, ~everything()), ["asthma"], 5, 0.0)[1].tolist() == []


@settings(max_examples=50)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_a_result_does_not_depend_on_the_batch(asked: list[str]) -> None:
    search = restrict(INDEX, everything())
    query, form, score = nearest(INDEX, search, asked, 3, 0.0)
    for row, one in enumerate(asked):
        _, alone, alone_score = nearest(INDEX, search, [one], 3, 0.0)
        assert form[query == row].tolist() == alone.tolist()
        assert score[query == row].tolist() == alone_score.tolist()
