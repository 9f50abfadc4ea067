"""Concepts of documents under the current linksets: which ones one annotation set has alone."""

from __future__ import annotations

from dataclasses import dataclass

from flows.warehouse.connection import Connection
from flows.warehouse.views.entities import LINK_JOINS, LINKED


@dataclass(frozen=True)
class ConceptCounts:
    """Pairs of document and concept of one ontology; ``documents`` are those with a difference."""

    ontology: str
    before: int
    after: int
    kept: int
    lost: int
    gained: int
    documents: int


@dataclass(frozen=True)
class ConceptDiff:
    """A concept that documents lost or gained, by how many documents."""

    ontology: str
    change: str
    concept_id: str
    concept_name: str
    documents: int


def compare_concepts(connection: Connection, before: str, after: str) -> None:
    """Find concepts of ``diff_documents`` in the temporary ``diff_concepts``.

    One row per document, ontology and concept: ``doc``, ``position``, ``release_id``,
    ``concept_id``, ``in_before`` and ``in_after``.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE diff_concepts AS
        SELECT d.doc, l.position, l.release_id, {LINKED} AS concept_id,
          bool_or(m.annotation_id = $before) AS in_before,
          bool_or(m.annotation_id = $after) AS in_after
        FROM mentions m
        JOIN diff_documents d ON d.document_id = m.document_id
        JOIN linksets l ON l.is_current
        {LINK_JOINS}
        WHERE m.annotation_id IN ($before, $after)
          AND {LINKED} IS NOT NULL
        GROUP BY ALL
        """,
        {"before": before, "after": after},
    )


def concept_counts(connection: Connection) -> list[ConceptCounts]:
    """Counts by ontology, in the order of the ontologies."""
    rows = connection.execute(
        """
        SELECT any_value(r.name), count(*) FILTER (in_before), count(*) FILTER (in_after),
          count(*) FILTER (in_before AND in_after), count(*) FILTER (NOT in_after),
          count(*) FILTER (NOT in_before), count(DISTINCT doc) FILTER (in_before != in_after)
        FROM diff_concepts LEFT JOIN ontology_releases r USING (release_id)
        GROUP BY position ORDER BY position
        """
    ).fetchall()
    return [ConceptCounts(*row) for row in rows]


def concept_diffs(connection: Connection, most: int) -> list[ConceptDiff]:
    """Concepts that the most documents lost, then gained; ``most`` of each, by ontology."""
    rows = connection.execute(
        """
        WITH changed AS (
          SELECT position, release_id, CASE WHEN in_before THEN 'lost' ELSE 'gained' END AS change,
            concept_id, count(*) AS documents
          FROM diff_concepts WHERE in_before != in_after GROUP BY ALL
        )
        SELECT r.name, change, h.concept_id, coalesce(c.concept_name, ''), documents
        FROM changed h LEFT JOIN ontology_releases r USING (release_id)
        LEFT JOIN concepts c ON c.release_id = h.release_id AND c.concept_id = h.concept_id
        QUALIFY row_number() OVER (PARTITION BY position, change
          ORDER BY documents DESC, h.concept_id) <= ?
        ORDER BY position, change DESC, documents DESC, h.concept_id
        """,
        [most],
    ).fetchall()
    return [ConceptDiff(*row) for row in rows]
