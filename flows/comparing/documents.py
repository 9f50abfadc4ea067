"""The documents of two annotation sets: which both cover, and can be compared in."""

from __future__ import annotations

from dataclasses import dataclass

from flows.warehouse.connection import Connection


@dataclass(frozen=True)
class DocumentCounts:
    """Documents of two sets.

    ``both`` were annotated by both from the same text; ``other_text`` by both, but from different
    versions; ``failed`` could not be annotated by one of them; the rest only one set covers. Only
    ``both`` is compared.
    """

    both: int
    only_before: int
    only_after: int
    other_text: int
    failed: int


def compare_documents(connection: Connection, before: str, after: str) -> DocumentCounts:
    """Count documents, and number those that are compared in the temporary ``diff_documents``."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE diff_ledger AS
        SELECT coalesce(b.document_id, a.document_id) AS document_id,
          CASE WHEN a.document_id IS NULL THEN 'only_before'
               WHEN b.document_id IS NULL THEN 'only_after'
               WHEN b.source_hash != a.source_hash THEN 'other_text'
               WHEN b.status != 'done' OR a.status != 'done' THEN 'failed'
               ELSE 'both' END AS cover
        FROM (FROM document_annotations WHERE annotation_id = $before) b
        FULL JOIN (FROM document_annotations WHERE annotation_id = $after) a
          ON a.document_id = b.document_id
        """,
        {"before": before, "after": after},
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE diff_documents AS "
        "SELECT (row_number() OVER ())::INTEGER AS doc, document_id "
        "FROM diff_ledger WHERE cover = 'both'"
    )
    counts = dict(
        connection.execute("SELECT cover, count(*) FROM diff_ledger GROUP BY cover").fetchall()
    )
    names = ("both", "only_before", "only_after", "other_text", "failed")
    return DocumentCounts(*(counts.get(name, 0) for name in names))
