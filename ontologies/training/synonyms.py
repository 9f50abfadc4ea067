"""What a name encoder learns from: names of the same concept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import polars as pl

from ontologies.dense import dense_text
from ontologies.errors import OntologyError
from ontologies.store import ALLOWED, ConceptStore

MOST_PAIRS = 50
"""Pairs taken from one concept at most, as SapBERT does: a few concepts have hundreds of names."""


@dataclass(frozen=True)
class Synonyms:
    """Names and what they mean.

    Attributes:
        texts: distinct texts, as they are encoded, sorted.
        text, concept: what means what, distinct and sorted, shape (meanings,): positions in
            ``texts`` and numbers of concepts.
        concepts: how many concepts there are.
    """

    texts: list[str]
    text: npt.NDArray[np.int64]
    concept: npt.NDArray[np.int64]
    concepts: int

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all of it."""
        digest = sha256("\n".join(self.texts).encode())
        digest.update(self.text.tobytes())
        digest.update(self.concept.tobytes())
        return digest.hexdigest()


def read_synonyms(
    stores: Sequence[ConceptStore],
    types: Sequence[str] = (),
    extra: pl.DataFrame | None = None,
) -> Synonyms:
    """The names of the stores' concepts, a CURIE being one concept wherever it stands.

    Names that mean something narrower, broader or only related are left out.

    Args:
        stores: open stores.
        types: prefixes of semantic types; concepts with none of them are left out. None for all.
        extra: further names, columns ``concept_id`` and ``name``.

    Raises:
        OntologyError: no concept has two names.
    """
    frames = [pl.DataFrame(schema={"name": pl.String, "concept_id": pl.String})]
    for store in stores:
        allowed = store.permits(tuple(sorted(types)))[store.names.concept] == ALLOWED
        rows = np.flatnonzero(allowed & ~store.names.loose)
        concept_ids = store.concepts.identifier[store.names.concept[rows]].astype(str)
        names = [dense_text(name) for name in store.name_texts(rows)]
        frames.append(pl.DataFrame({"name": names, "concept_id": concept_ids}))
    if extra is not None:
        names = [dense_text(name) for name in extra["name"]]
        frames.append(pl.DataFrame({"name": names, "concept_id": extra["concept_id"]}))
    meanings = (
        pl.concat(frames)
        .filter(pl.col("name") != "")
        .unique()
        .sort("name", "concept_id")
        .with_columns(
            text=pl.col("name").rank("dense").cast(pl.Int64) - 1,
            concept=pl.col("concept_id").rank("dense").cast(pl.Int64) - 1,
        )
    )
    if not meanings["concept"].is_duplicated().any():
        raise OntologyError("no concept has two names to learn from; give other stores or types")
    return Synonyms(
        texts=meanings["name"].unique(maintain_order=True).to_list(),
        text=meanings["text"].to_numpy(),
        concept=meanings["concept"].to_numpy(),
        concepts=meanings["concept"].n_unique(),
    )


def hold_out(synonyms: Synonyms, count: int, seed: int) -> tuple[Synonyms, Synonyms]:
    """Set names apart to judge by: of concepts with other names, and meaning one concept only.

    Returns:
        The meanings that are left, and those set apart: ``count`` of them, or a tenth of all that
        could be if these are fewer. Both count in the same texts and concepts.
    """
    meanings = np.bincount(synonyms.text, minlength=len(synonyms.texts))
    # One name of a concept at most, so that it keeps another one.
    several = np.bincount(synonyms.concept)[synonyms.concept] > 1
    possible = np.flatnonzero(several & (meanings[synonyms.text] == 1))
    shuffled = np.random.default_rng(seed).permutation(possible)
    _, first = np.unique(synonyms.concept[shuffled], return_index=True)
    chosen = shuffled[np.sort(first)][: min(count, len(first) // 10)]
    apart = np.zeros(len(synonyms.text), dtype=np.bool_)
    apart[chosen] = True
    return _part(synonyms, ~apart), _part(synonyms, apart)


def make_pairs(synonyms: Synonyms, seed: int) -> npt.NDArray[np.int64]:
    """All pairs of names of a concept, at most ``MOST_PAIRS`` of each concept, chosen by lot.

    Returns:
        Rows of two texts and their concept, shape (pairs, 3), in random order.
    """
    rng = np.random.default_rng(seed)
    order = np.lexsort((synonyms.text, synonyms.concept))
    text, concept = synonyms.text[order], synonyms.concept[order]
    bounds = np.flatnonzero(np.diff(concept, prepend=-1, append=-1))
    pairs = []
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if end - start < 2:
            continue
        left, right = np.triu_indices(end - start, k=1)
        if len(left) > MOST_PAIRS:
            chosen = rng.choice(len(left), MOST_PAIRS, replace=False)
            left, right = left[chosen], right[chosen]
        number = np.full(len(left), concept[start])
        pairs.append(np.stack([text[start + left], text[start + right], number], axis=1))
    if not pairs:
        return np.empty((0, 3), dtype=np.int64)
    return rng.permutation(np.concatenate(pairs), axis=0)


def _part(synonyms: Synonyms, kept: npt.NDArray[np.bool_]) -> Synonyms:
    return Synonyms(synonyms.texts, synonyms.text[kept], synonyms.concept[kept], synonyms.concepts)
