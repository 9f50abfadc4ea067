"""A warehouse of real abstracts with what their annotators marked, made without a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from flows.derived_settings import DerivedSettings
from flows.readers.gold import read_gold_file
from flows.warehouse.connection import open_warehouse
from flows.warehouse.derived.refresh import refresh
from nlp.schema import MENTIONS
from tests.flows.conftest import Bench


def make_abstracts(folder: Path, sources: Sequence[Path]) -> tuple[Path, list[str]]:
    """Make the warehouse of PubTator files; returns its path, and the texts of the documents."""
    path = folder / "abstracts.duckdb"
    Bench(path).run(*sources)
    rows, links, texts = [], set(), []
    for source in sources:
        corpus = source.name.partition(".")[0]
        for document in read_gold_file(source):
            texts.append(document.text)
            for number, mention in enumerate(document.mentions):
                words = document.text[mention.start_char : mention.end_char]
                name = " ".join(words.split())
                rows.append(
                    {
                        "document_id": f"{corpus}:{document.native_id}",
                        "annotation_id": "rule-1",
                        "mention_id": number,
                        "start_char": mention.start_char,
                        "end_char": mention.end_char,
                        "mention_text": words,
                        "label": mention.label,
                        "score": 1.0,
                        "model": "annotators",
                        "lookup_text": name,
                    }
                )
                links |= {(name, mention.label, concept) for concept in mention.concept_ids[:1]}
    marked = MENTIONS.conform(pl.DataFrame(rows))
    names = pl.DataFrame(sorted(links), ["lookup_text", "label", "concept_id"], orient="row")
    with open_warehouse(path) as connection:
        connection.register("marked", marked)
        connection.register("names", names)
        connection.execute("DELETE FROM mentions")
        connection.execute("INSERT INTO mentions BY NAME FROM marked")
        connection.execute(
            "INSERT INTO linksets VALUES ('l1', 'r1', 1, true, '{}', now()::TIMESTAMP)"
        )
        connection.execute(
            "INSERT INTO name_links BY NAME SELECT lookup_text, label, 'l1' AS linkset_id, "
            "row_number() OVER (PARTITION BY lookup_text, label ORDER BY concept_id)::INTEGER "
            "AS rank, 'linked' AS status, concept_id, 1.0 AS score, 'exact' AS method FROM names"
        )
        connection.execute(
            "INSERT INTO concepts BY NAME SELECT 'r1' AS release_id, concept_id, "
            "min(lookup_text) AS concept_name, []::VARCHAR[] AS semantic_types, "
            "[]::VARCHAR[] AS tree_numbers FROM names GROUP BY concept_id"
        )
        refresh(connection, DerivedSettings())
    return path, texts
