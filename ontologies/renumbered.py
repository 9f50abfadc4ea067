"""Concepts that go by another id in a newer release.

NLM gives a supplementary record a new id when it becomes a descriptor, and says nowhere which.
Between two releases the names tell; for the best-known ones a list comes with charthouse.
"""

from __future__ import annotations

from importlib.resources import files

import polars as pl

from ontologies.content import REPLACED_COLUMNS
from ontologies.normalise import normal_form
from ontologies.schema import CONCEPT_NAMES, CONCEPTS
from ontologies.store import ConceptStore

_LIST = "mesh_promoted.tsv"
_LEAST_SHARE = 0.5
"""Of the names of a concept that is gone, so many stand for the one that took its place."""


def promoted_records() -> pl.DataFrame:
    """MeSH records that are known to have become descriptors, columns ``REPLACED_COLUMNS``."""
    rows = files(__package__).joinpath(_LIST).read_text("utf-8").splitlines()
    pairs = [row.split("\t")[:2] for row in rows if row.startswith("MESH:")]
    return pl.DataFrame(pairs, schema=REPLACED_COLUMNS, orient="row")


def renumbered(old: ConceptStore, new: ConceptStore) -> pl.DataFrame:
    """Concepts of one release whose id the next no longer has, and where their names went.

    A concept took another's place if it is the only one that carries the other's preferred name,
    and carries at least half of its names; names are compared by their normal forms. What the new
    release itself says was replaced is not told again.

    Returns:
        Columns ``old_id``, ``concept_id``, ``name`` (preferred, of the old release), ``names``
        (how many the old concept had) and ``shared``, sorted by ``old_id``.
    """
    gone = _column(old, "concept_id")
    gone = gone.filter(~pl.Series(new.holds(gone.to_list())))
    follow = pl.Series(new.current_ids(gone.to_list()), dtype=pl.String)
    gone = gone.filter(gone == follow)
    before = _names(old).filter(pl.col("concept_id").is_in(gone.implode()))
    after = _names(new).select("form", new_id="concept_id").unique()
    shared = before.join(after, on="form")
    counts = before.group_by("concept_id").agg(names=pl.col("form").n_unique())
    by_name = (
        shared.filter("is_preferred")
        .filter(pl.col("new_id").n_unique().over("concept_id") == 1)
        .select("concept_id", "new_id", "name")
        .unique(["concept_id", "new_id"])
    )
    return (
        shared.group_by("concept_id", "new_id")
        .agg(shared=pl.col("form").n_unique())
        .join(by_name, on=["concept_id", "new_id"])
        .join(counts, on="concept_id")
        .filter(pl.col("shared") >= pl.col("names") * _LEAST_SHARE)
        .select(
            old_id="concept_id", concept_id="new_id", name="name", names="names", shared="shared"
        )
        .sort("old_id")
    )


def _column(store: ConceptStore, column: str) -> pl.Series:
    return pl.read_parquet(store.table_path(CONCEPTS.name), columns=[column])[column]


def _names(store: ConceptStore) -> pl.DataFrame:
    columns = ["concept_id", "name", "is_preferred"]
    names = pl.read_parquet(store.table_path(CONCEPT_NAMES.name), columns=columns)
    return names.with_columns(form=pl.Series([normal_form(name) for name in names["name"]]))
