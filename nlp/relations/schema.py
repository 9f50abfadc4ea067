"""The table of relations, declared once."""

from __future__ import annotations

import polars as pl

from ontologies.table import Column, Table

RELATIONS = Table(
    name="relations",
    meaning="Relations between two mentions of a document, as a model predicted them.",
    key=("generation_id", "document_id", "relation_id"),
    columns=(
        Column("generation_id", pl.String, "fingerprint of all that decides the relations"),
        Column("document_id", pl.String, "corpus:native_id"),
        Column("annotation_id", pl.String, "the annotation set of the two mentions"),
        Column("relation_id", pl.Int32, "0, 1, 2 ... by subject, then object, in text order"),
        Column("subject_mention_id", pl.Int32, "the mention that the relation starts from"),
        Column("relation", pl.String, "its type, for example chemical_induces_disease"),
        Column("object_mention_id", pl.Int32, "the mention that it leads to"),
        Column(
            "score",
            pl.Float64,
            "the classifier's probability; of a written relation exp(mean log-probability) of the "
            "text that states it; null where nobody tells",
            nullable=True,
        ),
        Column("model", pl.String, "the model that found it"),
    ),
)
