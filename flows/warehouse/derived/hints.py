"""What who asks should know: that derived tables were never made, or views are not there yet."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flows.schema import TABLES
from flows.warehouse.derived.schema import DERIVED_TABLES
from flows.warehouse.derived.state import outdated, were_made
from flows.warehouse.layout import Connection
from flows.warehouse.macros import MACROS
from flows.warehouse.views import VIEWS

_DERIVED = {table.name for table in DERIVED_TABLES}
READ_DERIVED = _DERIVED | {view.name for view in VIEWS if view.reads(_DERIVED)}
"""Names of the derived tables and of the views that read them."""

REFRESH = "charthouse refresh --warehouse W brings a warehouse to this release"


def missing_here(connection: Connection, query: str) -> bool:
    """Whether a query names a table, view or macro of this release that the warehouse lacks, or may
    name a column that it lacks: derived tables may be those of another release.
    """
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() "
        "UNION SELECT function_name FROM duckdb_functions() WHERE NOT internal"
    ).fetchall()
    known = {table.name for table in TABLES} | {view.name for view in VIEWS}
    known |= {macro.name for macro in MACROS}
    if _named(query, known - {name for (name,) in rows}):
        return True
    return _named(query, READ_DERIVED) and bool(outdated(connection))


def hint(connection: Connection, query: str) -> str | None:
    """A line for who asked a query of derived tables that were never made (they are empty), or that
    another release made.
    """
    if not _named(query, READ_DERIVED) or were_made(connection):
        return None
    if outdated(connection):
        return "another release made the tables that this query reads: " + REFRESH
    return "the tables that this query reads were never made: charthouse refresh makes them"


def _named(query: str, names: Iterable[str]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", query, re.IGNORECASE) for name in names)
