"""What two annotation sets differ in, kept as rows."""

from __future__ import annotations

import polars as pl

from ontologies.table import Column, Table

DIFFS = Table(
    name="diffs",
    meaning="What charthouse diff found and was told to store: one number a row. Names, which are "
    "text of documents, only where they were asked for, and until something is forgotten.",
    key=("diff_id", "part", "item", "measure"),
    columns=(
        Column("diff_id", pl.String, "the call of charthouse diff that wrote the row"),
        Column("before_id", pl.String, "annotation set before"),
        Column("after_id", pl.String, "annotation set after"),
        Column(
            "part",
            pl.String,
            "what is compared: documents, mentions, relabelled, document concepts, concepts lost, "
            "concepts gained, names lost, names gained, or runs: of one set",
        ),
        Column(
            "item", pl.String, "the label, ontology, concept_id, name or run_id; all for documents"
        ),
        Column("measure", pl.String, "what is counted, for example kept or lost_share"),
        Column("value", pl.Float64, "the number", nullable=True),
        Column("compared_at", pl.Datetime("us"), "UTC"),
    ),
)
