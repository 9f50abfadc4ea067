"""Steps of names that are hard to tell apart.

Among a few hundred names chosen by lot hardly any two are alike, and what separates a disease from
its neighbours is seldom asked for. Steps are therefore made of neighbourhoods: a pair of synonyms,
and the pairs of other concepts nearest to it by the vectors of the base (as in BioSyn, Sung et al.
2020, https://aclanthology.org/2020.acl-main.335/, whose candidates are the nearest names too).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ontologies.dense import DenseSearch, nearest
from ontologies.encoder import NameEncoder
from ontologies.training.synonyms import Synonyms

_CHUNK = 16_384
_LOOKED_AT = 4
"""Nearest names looked up for each neighbour wanted: some are of the same concept, or taken."""


def near_texts(
    encoder: NameEncoder,
    synonyms: Synonyms,
    pairs: npt.NDArray[np.int64],
    neighbours: int,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> dict[int, list[int]]:
    """The nearest other texts of each pair's first text, nearest first.

    Args:
        encoder: whose vectors tell what is near.
        synonyms: the texts.
        pairs: rows of two texts and a concept.
        neighbours: how many will be wanted.
        report: receives texts done and texts in all.
    """
    texts = np.unique(pairs[:, 0])
    vectors = np.empty((len(texts), encoder.dimension), dtype=np.float16)
    for start in range(0, len(texts), _CHUNK):
        rows = texts[start : start + _CHUNK]
        vectors[start : start + _CHUNK] = encoder.encode([synonyms.texts[row] for row in rows])
        report(start, 2 * len(texts))
    search = DenseSearch(vectors, np.arange(len(texts)))
    near: dict[int, list[int]] = defaultdict(list)
    for start in range(0, len(texts), _CHUNK):
        asked = vectors[start : start + _CHUNK].astype(np.float32)
        query, row, _ = nearest(search, asked, 1 + _LOOKED_AT * neighbours)
        for text, other in zip(texts[query + start].tolist(), texts[row].tolist(), strict=True):
            if other != text:
                near[text].append(other)
        report(len(texts) + start, 2 * len(texts))
    return near


def order_by_neighbourhood(
    pairs: npt.NDArray[np.int64], near: dict[int, list[int]], neighbours: int, seed: int
) -> npt.NDArray[np.int64]:
    """The rows of all pairs, those of a neighbourhood in a row; neighbourhoods in random order.

    Args:
        pairs: rows of two texts and a concept.
        near: the nearest texts of each first text.
        neighbours: pairs of other concepts that a pair is joined by, where so many are left.
        seed: of the order.
    """
    rng = np.random.default_rng(seed)
    waiting: dict[int, list[int]] = defaultdict(list)
    shuffled = rng.permutation(len(pairs)).tolist()
    text, concept = pairs[:, 0].tolist(), pairs[:, 2].tolist()
    for row in shuffled:
        waiting[text[row]].append(row)
    taken = np.zeros(len(pairs), dtype=np.bool_)
    groups = []
    for row in shuffled:
        if taken[row]:
            continue
        taken[row] = True
        group, concepts = [row], {concept[row]}
        for other in near.get(text[row], ()):
            if len(group) > neighbours:
                break
            rows = waiting[other]
            while rows and taken[rows[-1]]:
                rows.pop()
            if rows and concept[rows[-1]] not in concepts:
                joined = rows.pop()
                taken[joined] = True
                group.append(joined)
                concepts.add(concept[joined])
        groups.append(group)
    order = [row for number in rng.permutation(len(groups)) for row in groups[number]]
    return np.array(order, dtype=np.int64)
