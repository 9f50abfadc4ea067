"""The summary's counts are those of the view ``entities``."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.entities import TOP_CONCEPTS, count_entities
from flows.warehouse.connection import open_warehouse
from tests.flows.conftest import Bench

Notes = Callable[..., Path]

MENTION = """
INSERT INTO mentions BY NAME SELECT ? AS document_id, ? AS annotation_id, ? AS mention_id,
  0 AS start_char, 1 AS end_char, 'x' AS mention_text, ? AS label, 1.0 AS score, 'rule' AS model,
  ? AS lookup_text
"""
LINKSET = (
    "INSERT INTO linksets (linkset_id, release_id, position, is_current, settings, created_at) "
    "VALUES (?, ?, ?, ?, '{}', now()::TIMESTAMP)"
)


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_the_view(bench: Bench, notes: Notes, seed: int) -> None:
    draw = random.Random(seed)
    bench.run(notes(a="asthma", b="gout", c="rash"))
    with open_warehouse(bench.warehouse) as connection:
        for linkset in (("l1", "r1", 1, True), ("l2", "r1", 2, True), ("old", "r1", 1, False)):
            connection.execute(LINKSET, list(linkset))
        for concept in range(8):
            connection.execute(
                "INSERT INTO concepts BY NAME SELECT 'r1' AS release_id, ? AS concept_id, "
                "? AS concept_name, []::VARCHAR[] AS semantic_types, "
                "[]::VARCHAR[] AS tree_numbers",
                [f"C:{concept}", f"concept {concept}"],
            )
        for name in range(10):
            for linkset in ("l1", "l2", "old"):
                connection.execute(
                    "INSERT INTO name_links BY NAME SELECT ? AS lookup_text, 'Disease' AS label, "
                    "? AS linkset_id, 1 AS rank, ? AS status, ? AS concept_id, 1.0 AS score",
                    [
                        f"name {name}",
                        linkset,
                        draw.choice(["linked", "ambiguous"]),
                        f"C:{draw.randrange(8)}",
                    ],
                )
        connection.execute(
            "INSERT INTO document_annotations BY NAME SELECT document_id, 'rule-0' AS "
            "annotation_id, source_hash, 'r' AS run_id, 's' AS shard_id, 'done' AS status, "
            "false AS is_current FROM documents"
        )
        for number in range(60):
            document, annotation = draw.choice("abc"), draw.choice(["rule-0", "rule-1"])
            label, name = draw.choice(["Disease", "Gene"]), f"name {draw.randrange(12)}"
            values = [f"notes:{document}", annotation, number, label, name]
            connection.execute(MENTION, values)
            if draw.random() < 0.3:
                connection.execute(
                    "INSERT INTO mention_links VALUES (?, ?, ?, ?, ?, 1.0, 'context')",
                    [*values[:3], draw.choice(["l1", "l2", "old"]), f"C:{draw.randrange(9)}"],
                )
        counts = count_entities(connection)
        assert [(counts.mentions, counts.linked_mentions)] == connection.execute(
            "SELECT count(*), count(concept_id) FROM entities"
        ).fetchall()
        assert (
            list(counts.labels.items())
            == connection.execute(
                "SELECT label, count(*) FROM entities GROUP BY label ORDER BY 2 DESC, 1"
            ).fetchall()
        )
        assert (
            counts.top_concepts
            == connection.execute(
                "SELECT concept_id, any_value(concept_name), count(DISTINCT document_id), count(*) "
                "FROM entities WHERE concept_id IS NOT NULL GROUP BY concept_id "
                f"ORDER BY 3 DESC, 4 DESC, 1 LIMIT {TOP_CONCEPTS}"
            ).fetchall()
        )


def test_a_concept_of_many_documents_is_found_behind_those_of_many_mentions(
    bench: Bench, notes: Notes
) -> None:
    bench.run(notes(a="asthma", b="gout", c="rash"))
    with open_warehouse(bench.warehouse) as connection:
        connection.execute(LINKSET, ["l1", "r1", 1, True])
        connection.execute("DELETE FROM mentions")
        connection.execute(
            "INSERT INTO mentions BY NAME SELECT 'notes:a' AS document_id, 'rule-1' AS "
            "annotation_id, range::INTEGER AS mention_id, 0 AS start_char, 1 AS end_char, "
            "'x' AS mention_text, 'Disease' AS label, 1.0 AS score, 'rule' AS model, "
            "'name ' || (range % 150) AS lookup_text FROM range(1500)"
        )
        for document in "abc":
            connection.execute(MENTION, [f"notes:{document}", "rule-1", 2000, "Disease", "rare"])
        connection.execute(
            "INSERT INTO name_links BY NAME SELECT DISTINCT lookup_text, label, 'l1' AS "
            "linkset_id, 1 AS rank, 'linked' AS status, lookup_text AS concept_id, 1.0 AS score "
            "FROM mentions"
        )
        assert count_entities(connection).top_concepts[0] == ("rare", None, 3, 3)
