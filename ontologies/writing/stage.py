"""The linker's stage of a language model, for names that no exact way finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ontologies.similar import NearSettings, Similar, find_similar, likeness, names_alike, weigh
from ontologies.store import ConceptStore
from ontologies.writing.writing import writing_of

Written = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[Any], npt.NDArray[Any]]
"""Positions of the names asked for, rows of names, scores, and how each was found."""

SIMILAR, RERANKED, GENERATED = range(3)
"""How a name was found: by similarity; by it, and weighed by the model; written by the model."""


def find_written(
    store: ConceptStore,
    texts: Sequence[str],
    forms: Sequence[str],
    types: tuple[str, ...],
    settings: NearSettings,
    threshold: float,
) -> Written:
    """Candidates by a language model, beside those by similarity or instead of them.

    The score of a name the model writes is the geometric mean of its tokens' probabilities. Where
    similarity counts too, that mean is taken relative to the likeliest candidate of the name asked
    for, and mixed with the similarity by ``writer_weight``: so a score stays on the scale of
    similarities, and a threshold means the same with a model and without. What else is known of a
    concept weighs as among names by similarity alone (``find_similar``).

    Args:
        store: an open store.
        texts: the names asked for, as they are written.
        forms: their normal forms.
        types: prefixes of the types allowed.
        settings: which model, and how it is used.
        threshold: score of a link, for ``fallback``.

    Raises:
        OntologyError: the model cannot be loaded.
    """
    if not len(texts):
        nothing = find_similar(store, [], types, settings)
        return *nothing, np.empty(0, dtype=np.int8)
    if settings.writer_use == "generate":
        written = _written(store, texts, types, settings)
        return _found(weigh(store, written, types, settings), GENERATED)
    if settings.writer_use == "fallback":
        return _fallback(store, texts, forms, types, settings, threshold)
    return _mixed(store, texts, forms, types, settings)


def _fallback(
    store: ConceptStore,
    texts: Sequence[str],
    forms: Sequence[str],
    types: tuple[str, ...],
    settings: NearSettings,
    threshold: float,
) -> Written:
    similar = find_similar(store, forms, types, settings)
    best = np.zeros(len(texts))
    np.maximum.at(best, similar[0], similar[2])
    asked = np.flatnonzero(best < threshold)
    query, name, score = _written(store, [texts[at] for at in asked], types, settings)
    written = weigh(store, (asked[query], name, score), types, settings)
    return _joined(_found(similar, SIMILAR), _found(written, GENERATED))


def _mixed(
    store: ConceptStore,
    texts: Sequence[str],
    forms: Sequence[str],
    types: tuple[str, ...],
    settings: NearSettings,
) -> Written:
    alike = names_alike(store, forms, types, settings)
    query, name, like = _leading(store, alike, types, settings)
    method = np.full(len(query), RERANKED)
    if settings.writer_use == "both":
        asked, wrote, _ = _written(store, texts, types, settings)
        concepts = len(store.concepts.identifier)
        known = query * concepts + store.names.concept[name]
        new = ~np.isin(asked * concepts + store.names.concept[wrote], known)
        asked, wrote = asked[new], wrote[new]
        further = _likeness(store, forms, asked, wrote, settings)
        query, name, like = np.r_[query, asked], np.r_[name, wrote], np.r_[like, further]
        method = np.r_[method, np.full(len(asked), GENERATED)]
    likely = writing_of(store, settings).likelihood(texts, query, name)
    likeliest = np.zeros(len(texts))
    np.maximum.at(likeliest, query, likely)
    weight = settings.writer_weight
    mixed = (1 - weight) * like + weight * likely / np.maximum(likeliest[query], 1e-300)
    # By position, since weighing leaves rows out.
    kept, name, score = weigh(store, (np.arange(len(query)), name, mixed), types, settings)
    return query[kept], name, score, method[kept]


def _leading(
    store: ConceptStore, alike: Similar, types: tuple[str, ...], settings: NearSettings
) -> Similar:
    """The best name of each of a query's best concepts by similarity, with the bare similarity."""
    query, name, like = alike
    row, name, score = weigh(store, (np.arange(len(query)), name, like), types, settings)
    query, like, concept = query[row], like[row], store.names.concept[name]
    order = np.lexsort((name, -score, concept, query))
    _, first = np.unique(np.stack([query[order], concept[order]]), axis=1, return_index=True)
    best = order[first]
    best = best[np.lexsort((name[best], -score[best], query[best]))]
    rank = np.arange(len(best)) - np.searchsorted(query[best], query[best])
    best = best[rank < settings.writer_candidates]
    return query[best], name[best], like[best]


def _written(
    store: ConceptStore, texts: Sequence[str], types: tuple[str, ...], settings: NearSettings
) -> Similar:
    return writing_of(store, settings).written(texts, types, settings.writer_beams)


def _likeness(
    store: ConceptStore,
    forms: Sequence[str],
    query: npt.NDArray[np.int64],
    name: npt.NDArray[np.int32],
    settings: NearSettings,
) -> npt.NDArray[np.float64]:
    """The bare similarity of what is asked and names, pairs in any order; 0 without a form."""
    like = np.zeros(len(query))
    form = store.form_of[name]
    order = np.lexsort((form, query))
    order = order[form[order] >= 0]
    like[order] = likeness(store, forms, query[order], form[order], settings)
    return like


def _found(similar: Similar, method: int) -> Written:
    return *similar, np.full(len(similar[0]), method)


def _joined(first: Written, second: Written) -> Written:
    return (
        np.concatenate((first[0], second[0])),
        np.concatenate((first[1], second[1])),
        np.concatenate((first[2], second[2])),
        np.concatenate((first[3], second[3])),
    )
