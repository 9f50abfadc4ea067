"""Candidates by similarity, for names that no exact step finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ontologies.arrays import ragged
from ontologies.nearest import nearest
from ontologies.store import ALLOWED, FORBIDDEN, ConceptStore

Similar = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]
"""Positions of the names asked for, rows of similar names of the store, and scores."""

_OFTEN = 50
"""Uses of a concept in given names from which it is as familiar as can be."""


def find_similar(
    store: ConceptStore,
    forms: Sequence[str],
    types: tuple[str, ...],
    *,
    neighbours: int,
    floor: float,
    untyped_weight: float,
    supplementary_weight: float,
    familiar_weight: float,
) -> Similar:
    """Names of the store that are like the names asked for.

    The score is the cosine of 3-grams, times ``untyped_weight`` for concepts whose types do not
    tell and ``supplementary_weight`` for records outside the main vocabulary. What is left to 1 is
    then cut by ``familiar_weight`` for concepts that the store's given names use often, by less for
    others, by nothing for those that they never use.

    Args:
        store: an open store.
        forms: normal forms of the names.
        types: prefixes of the types allowed.
        neighbours: distinct forms to look at for each name.
        floor: lowest score, and lowest cosine, that is kept.
        untyped_weight, supplementary_weight, familiar_weight: see above.
    """
    permit = store.permits(types)
    near, form, cosine = nearest(store.grams, store.search(types), forms, neighbours, floor)
    carriers, position = ragged(store.forms.name_start, form)
    name = store.forms.name[position]
    concept = store.names.concept[name]
    score = np.repeat(cosine, carriers)
    score[permit[concept] != ALLOWED] *= untyped_weight
    score[store.concepts.supplementary[concept]] *= supplementary_weight
    score += (1 - score) * familiar_weight * familiarity(store.uses[concept])
    kept = (permit[concept] != FORBIDDEN) & (score > floor)
    return np.repeat(near, carriers)[kept], name[kept], score[kept].round(4)


def familiarity(uses: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float64]:
    """How familiar so many uses make a concept: 0 for none, 1 for many, by their logarithm."""
    return np.asarray(np.minimum(np.log1p(uses) / np.log1p(_OFTEN), 1.0))
