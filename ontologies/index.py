"""The arrays that a store is searched by, made from its tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ontologies.exact import LEVELS, index_forms
from ontologies.ngrams import GramIndex, index_grams
from ontologies.normalise import normal_form
from ontologies.phrases import index_phrases
from ontologies.store import ConceptIndex, FormIndex, NameIndex, ReplacedIndex, text_rows
from ontologies.tables import Tables


def make_index(tables: Tables, types: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """All index arrays by file stem ``group.field``.

    Args:
        tables: of the store.
        types: all type codes, sorted.
    """
    concepts, names = tables.concepts, tables.names
    texts = names["name"].to_list()
    forms = [normal_form(text) for text in texts]
    type_rows = concepts["semantic_types"]
    code = {name: number for number, name in enumerate(types)}
    codes = np.array([code[name] for row in type_rows for name in row], dtype=np.int32)
    text_start, text = text_rows(texts)
    concept_row = pl.DataFrame({"concept_id": concepts["concept_id"]}).with_row_index("row")
    groups: dict[str, object] = {
        "concept": ConceptIndex(
            identifier=_identifiers(concepts["concept_id"]),
            supplementary=tables.supplementary.to_numpy(),
            type_start=np.cumsum([0, *type_rows.list.len()], dtype=np.int64),
            type_code=codes,
        ),
        "name": NameIndex(
            concept=names.select("concept_id")
            .join(concept_row, on="concept_id", how="left", maintain_order="left")["row"]
            .cast(pl.Int32)
            .to_numpy(),
            preferred=names["is_preferred"].to_numpy(),
            loose=names["relation"].is_not_null().to_numpy(),
            count=tables.counts.cast(pl.Int32).to_numpy(),
            text_start=text_start,
            text=text,
        ),
        "replaced": ReplacedIndex(
            old=_identifiers(tables.replacements["old_id"]),
            new=_identifiers(tables.replacements["concept_id"]),
        ),
    }
    groups["form"], groups["grams"] = _near(forms)
    groups["phrase"] = index_phrases(texts, forms, names["relation"].is_not_null().to_numpy())
    for level in LEVELS:
        groups[f"exact-{level.name}"] = index_forms([level.form(form) for form in forms])
    return {
        f"{group}.{field}": array
        for group, index in groups.items()
        for field, array in vars(index).items()
    }


def _identifiers(ids: pl.Series) -> npt.NDArray[np.bytes_]:
    return np.array([identifier.encode() for identifier in ids], dtype=np.bytes_)


def _near(forms: Sequence[str]) -> tuple[FormIndex, GramIndex]:
    frame = pl.DataFrame({"form": forms}, schema={"form": pl.String}).with_row_index("name")
    distinct = (
        frame.filter(pl.col("form") != "").group_by("form").agg(pl.col("name").sort()).sort("form")
    )
    index = FormIndex(
        name_start=np.cumsum([0, *distinct["name"].list.len()], dtype=np.int64),
        name=distinct["name"].explode(empty_as_null=False).cast(pl.Int32).to_numpy(),
    )
    return index, index_grams(distinct["form"].to_list())
