"""What a language model learns linking from: prompts of names, completed by preferred names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ontologies.store import ALLOWED, ConceptStore
from ontologies.writing.settings import MENTION, TEMPLATE


def name_pairs(
    store: ConceptStore,
    *,
    types: Sequence[str] = (),
    template: str = TEMPLATE,
    same: bool = True,
    extra: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Prompt and completion of every name: ``NAME means`` and the preferred name of its concept.

    The completion begins with the space between the two, as tokenizers want it. Names that mean
    something narrower, broader or only related teach nothing.

    Args:
        store: an open store.
        types: prefixes of semantic types; concepts with none of them are left out. None for all.
        template: as ``link.writer_template``.
        same: also a preferred name completed by itself, so that names without synonyms are learnt.
        extra: further names, columns ``concept_id`` and ``name``; those of concepts that are not
            in the store, or of other types, are left out.

    Returns:
        Columns ``concept_id``, ``prompt`` and ``completion``, distinct and sorted.
    """
    allowed = store.permits(tuple(sorted(types)))[store.names.concept] == ALLOWED
    rows = np.flatnonzero(allowed & ~store.names.loose)
    names = pl.DataFrame(
        {
            "concept_id": store.concepts.identifier[store.names.concept[rows]].astype(str),
            "name": store.name_texts(rows),
            "preferred": store.names.preferred[rows],
        },
        schema={"concept_id": pl.String, "name": pl.String, "preferred": pl.Boolean},
    )
    meaning = names.filter("preferred").select("concept_id", meaning="name")
    given = names.select("concept_id", "name")
    if extra is not None:
        given = pl.concat([given, extra.select("concept_id", "name").cast(pl.String)])
    before, _, after = template.partition(MENTION)
    return (
        given.join(meaning, on="concept_id")
        .filter(pl.lit(same) | (pl.col("name") != pl.col("meaning")))
        .select(
            "concept_id",
            prompt=pl.concat_str(pl.lit(before), "name", pl.lit(after)),
            completion=pl.concat_str(pl.lit(" "), "meaning"),
        )
        .unique()
        .sort("concept_id", "prompt", "completion")
    )
