"""Whether the derived tables are still those of what the warehouse holds.

Told by comparing contents, not by who changed what: so a run that made nothing, a relink that a
kill ended and a release that counts otherwise are all told alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.warehouse.ddl import sql_type
from flows.warehouse.derived.schema import DERIVATIONS, DERIVED_TABLES
from ontologies.table import Table

if TYPE_CHECKING:  # which asks here what is outdated
    from flows.warehouse.layout import Connection

DERIVED_VERSION = 2
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


def outdated(connection: Connection) -> list[Table]:
    """Derived tables that the warehouse lacks or that another release declared otherwise.

    They need no migration: they are made anew from the others.
    """
    rows = connection.execute(
        "SELECT table_name, list(column_name || ' ' || data_type ORDER BY column_index) "
        "FROM duckdb_columns() WHERE database_name = current_database() "
        "AND schema_name = 'main' GROUP BY ALL"
    ).fetchall()
    there = dict(rows)
    return [
        table
        for table in (*DERIVED_TABLES, DERIVATIONS)
        if there.get(table.name) != [f"{c.name} {sql_type(c.dtype)}" for c in table.columns]
    ]


def were_made(connection: Connection) -> bool:
    """Whether the warehouse has derived tables that were ever made."""
    return not outdated(connection) and bool(
        connection.execute(f"SELECT 1 FROM {DERIVATIONS.name}").fetchall()
    )


def are_current(connection: Connection, pair_concepts: int, pair_documents: int) -> bool:
    """Whether making the derived tables anew, with these settings, would change nothing."""
    if not were_made(connection):
        return False
    settings = connection.execute(
        f"SELECT pair_concepts, pair_documents FROM {DERIVATIONS.name}"
    ).fetchall()
    asked = [(pair_concepts, pair_documents)]
    return settings == asked and not connection.execute(STALE).fetchall()
