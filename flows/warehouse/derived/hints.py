"""What who asks should know: that derived tables were never made, or views are not there yet."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flows.schema import TABLES
from flows.warehouse.derived.schema import DERIVED_TABLES
from flows.warehouse.derived.state import were_made
from flows.warehouse.layout import Connection
from flows.warehouse.macros import MACROS
from flows.warehouse.views import VIEWS

_DERIVED = {table.name for table in DERIVED_TABLES}
READ_DERIVED = _DERIVED | {
    view.name for view in VIEWS if any(re.search(rf"\b{name}\b", view.query) for name in _DERIVED)
}
"""Names of the derived tables and of the views that read them."""

REFRESH = "charthouse refresh --warehouse W brings a warehouse to this release"


def missing_here(connection: Connection, query: str) -> bool:
    """Whether a query names a table, view or macro of this release that the warehouse lacks."""
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() "
        "UNION SELECT function_name FROM duckdb_functions() WHERE NOT internal"
    ).fetchall()
    known = {table.name for table in TABLES} | {view.name for view in VIEWS}
    known |= {macro.name for macro in MACROS}
    return bool(_named(query, known - {name for (name,) in rows}))


def hint(connection: Connection, query: str) -> str | None:
    """A line for who asked a query of derived tables that were never made: they are empty."""
    if _named(query, READ_DERIVED) and not were_made(connection):
        return "the tables that this query reads were never made: charthouse refresh makes them"
    return None


def _named(query: str, names: Iterable[str]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", query, re.IGNORECASE) for name in names)
