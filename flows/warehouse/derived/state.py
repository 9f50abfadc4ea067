"""Whether the derived tables are still those of what the warehouse holds.

Told by comparing contents, not by who changed what: so a run that made nothing, a relink that a
kill ended and a release that counts otherwise are all told alike.
"""

from __future__ import annotations

from flows.warehouse.derived.schema import DERIVATIONS
from flows.warehouse.layout import Connection

DERIVED_VERSION = 1
"""Raised whenever the same rows would be counted otherwise."""


def _content(table: str, columns: str, condition: str = "true") -> str:
    return (
        f"(SELECT concat_ws(' ', count(*), bit_xor(hash({columns})), sum(hash({columns}))) "
        f"FROM {table} WHERE {condition})"
    )


_CURRENT = "linkset_id IN (SELECT linkset_id FROM linksets WHERE is_current)"

MADE_OF = "md5(concat_ws('|', " + ", ".join(
    (
        f"'{DERIVED_VERSION}'",
        "(SELECT count(*) FROM mentions)",
        "(SELECT count(*) FROM sentences)",
        # Annotations are those of the ledger: they come and go in one transaction with its rows.
        _content("document_annotations", "document_id, annotation_id, source_hash, status",
            "is_current"),
        _content("documents", "document_id, source_hash, corpus, kind, document_type, "
            "document_date, person_id, is_deleted"),
        _content("linksets", "linkset_id, position", "is_current"),
        _content("name_links", "lookup_text, label, linkset_id, status, concept_id",
            f"rank = 1 AND {_CURRENT}"),
        _content("mention_links", "document_id, annotation_id, mention_id, linkset_id, concept_id",
            _CURRENT),
    )
) + "))"  # fmt: skip
"""A fingerprint, in SQL, of all that the derived tables are made of; no run id is part of it."""

STALE = f"""
SELECT 'derivations' AS subject FROM {DERIVATIONS.name} d
WHERE d.made_of != {MADE_OF} OR EXISTS (
  FROM document_annotations WHERE is_current AND run_id > coalesce(d.run_id, ''))
"""
"""A row where derived tables are there and are not of what the warehouse holds.

A document that a later run loaded counts even where its ledger row says the same as before.
"""


def were_made(connection: Connection) -> bool:
    """Whether the warehouse has ever had derived tables."""
    return bool(connection.execute(f"SELECT 1 FROM {DERIVATIONS.name}").fetchall())


def are_current(connection: Connection, pair_concepts: int, pair_documents: int) -> bool:
    """Whether making the derived tables anew, with these settings, would change nothing."""
    asked = [pair_concepts, pair_documents]
    return (
        bool(
            connection.execute(
                f"SELECT 1 FROM {DERIVATIONS.name} WHERE pair_concepts = ? AND pair_documents = ?",
                asked,
            ).fetchall()
        )
        and not connection.execute(STALE).fetchall()
    )
