"""Candidates by similarity, for names that no exact step finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ontologies.arrays import ragged
from ontologies.encoder_source import Pooling
from ontologies.meaning import meaning_of
from ontologies.nearest import Found, nearest, similarities
from ontologies.store import ALLOWED, FORBIDDEN, ConceptStore
from ontologies.writing.settings import WriterSettings

Similar = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]
"""Positions of the names asked for, rows of similar names of the store, and scores."""

_OFTEN = 50
"""Uses of a concept in given names from which it is as familiar as can be."""


class NearSettings(WriterSettings):
    """What decides which names are like a name, and how much."""

    floor: float = Field(
        default=0.3, ge=0, le=1, description="near matches at or below this are not kept"
    )
    neighbours: int = Field(
        default=50,
        ge=1,
        le=1000,
        description="nearest names by 3-grams that candidates are taken from",
    )
    encoder: str = Field(
        default="",
        description="sentence encoder that near matches are ranked by besides 3-grams: `minilm`, a"
        " folder, or `hub:owner/name@revision`; stores are encoded with `charthouse ontology"
        " encode`; empty for none",
    )
    pooling: Pooling | None = Field(
        default=None,
        description="`mean` or `cls`, where the encoder's folder does not say: `cls` for SapBERT's",
    )
    dense_weight: float = Field(
        default=0.7, ge=0, le=1, description="weight of the encoder's cosine; 3-grams have the rest"
    )
    dense_neighbours: int = Field(
        default=50,
        ge=0,
        le=1000,
        description="nearest names by the encoder that candidates are taken from too; 0 only ranks"
        " what 3-grams found, as a CPU should with millions of names",
    )
    untyped_weight: float = Field(
        default=0.85,
        ge=0,
        le=1,
        description="factor on the near score of concepts whose types do not tell",
    )
    supplementary_weight: float = Field(
        default=0.9,
        ge=0,
        le=1,
        description="factor on the near score of records outside the main vocabulary",
    )
    familiar_weight: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="how far concepts that given names use often are raised among near matches",
    )
    preferred_bonus: float = Field(
        default=0.04, ge=0, le=1, description="added to the near score of a preferred name"
    )


def find_similar(
    store: ConceptStore,
    forms: Sequence[str],
    types: tuple[str, ...],
    settings: NearSettings,
) -> Similar:
    """Names of the store that are like the names asked for.

    Candidates are the forms nearest by 3-grams and, with an encoder, those nearest by its vectors.
    The score is the cosine of 3-grams, mixed with that of the vectors. It is multiplied by
    ``untyped_weight`` for concepts whose types do not tell and by ``supplementary_weight`` for
    records outside the main vocabulary. What is left to 1 is then cut by ``familiar_weight`` for
    concepts that the store's given names use often, by less for others, by nothing for those that
    they never use. Last, a preferred name gains ``preferred_bonus``, up to 1.

    Args:
        store: an open store.
        forms: normal forms of the names.
        types: prefixes of the types allowed.
        settings: the weights.

    Raises:
        OntologyError: the store was not encoded by the encoder, or that cannot be loaded.
    """
    return weigh(store, names_alike(store, forms, types, settings), types, settings)


def names_alike(
    store: ConceptStore,
    forms: Sequence[str],
    types: tuple[str, ...],
    settings: NearSettings,
) -> Similar:
    """As :func:`find_similar`, but with the bare similarity, and names of any concept."""
    near, form, like = _near(store, forms, types, settings)
    carriers, position = ragged(store.forms.name_start, form)
    return np.repeat(near, carriers), store.forms.name[position], np.repeat(like, carriers)


def weigh(
    store: ConceptStore, alike: Similar, types: tuple[str, ...], settings: NearSettings
) -> Similar:
    """Weigh similar names by what else is known of their concepts; see :func:`find_similar`."""
    query, name, like = alike
    permit = store.permits(types)
    concept = store.names.concept[name]
    score = like.copy()
    score[permit[concept] != ALLOWED] *= settings.untyped_weight
    score[store.concepts.supplementary[concept]] *= settings.supplementary_weight
    score += (1 - score) * settings.familiar_weight * familiarity(store.uses[concept])
    score = np.minimum(score + settings.preferred_bonus * store.names.preferred[name], 1.0)
    kept = (permit[concept] != FORBIDDEN) & (score > settings.floor)
    return query[kept], name[kept], score[kept].round(4)


def likeness(
    store: ConceptStore,
    forms: Sequence[str],
    query: npt.NDArray[np.int64],
    form: npt.NDArray[np.int64],
    settings: NearSettings,
) -> npt.NDArray[np.float64]:
    """The bare similarity of given pairs, shape (pairs,).

    Args:
        store, forms, settings: as of :func:`find_similar`.
        query, form: positions in ``forms``, ascending, and rows of the store's forms.
    """
    score = similarities(store.grams, forms, query, form)
    if not settings.encoder or not len(form):
        return score
    meaning = meaning_of(store, settings.encoder, settings.pooling)
    close = meaning.similarity(meaning.vectors(forms), query, form)
    return _mixed(score, close, settings)


def _near(
    store: ConceptStore, forms: Sequence[str], types: tuple[str, ...], settings: NearSettings
) -> Found:
    """Pairs of a name asked for and a form of the store, and how like they are."""
    search = store.search(types)
    query, form, score = nearest(store.grams, search, forms, settings.neighbours, settings.floor)
    if not settings.encoder or not len(forms):
        return query, form, score
    meaning = meaning_of(store, settings.encoder, settings.pooling)
    vectors = meaning.vectors(forms)
    if settings.dense_neighbours:
        further, other, _ = meaning.nearest(vectors, types, settings.dense_neighbours)
        pairs = np.unique(np.stack([np.r_[query, further], np.r_[form, other]]), axis=1)
        query, form = pairs[0], pairs[1]
        score = similarities(store.grams, forms, query, form)
    close = meaning.similarity(vectors, query, form)
    return query, form, _mixed(score, close, settings)


def _mixed(
    score: npt.NDArray[np.float64], close: npt.NDArray[np.float64], settings: NearSettings
) -> npt.NDArray[np.float64]:
    weight = settings.dense_weight
    return np.maximum((1 - weight) * score + weight * close, 0.0)


def familiarity(uses: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float64]:
    """How familiar so many uses make a concept: 0 for none, 1 for many, by their logarithm."""
    return np.asarray(np.minimum(np.log1p(uses) / np.log1p(_OFTEN), 1.0))
