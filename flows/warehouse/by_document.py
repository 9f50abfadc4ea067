"""What belongs to many documents, fetched some hundred documents at a time.

The documents are numbered in a table of the session, with the columns ordinal (1, 2 ...) and place
(their rowid). Rows about them are first sorted by ordinal into further tables of the session, for
which DuckDB goes to disk; then chunk after chunk is fetched from there. So memory holds some
hundred documents, whatever the corpus. (A query that streams sorted rows needs more than DuckDB's
bound from ten million mentions on.)
"""

from __future__ import annotations

import itertools
from operator import itemgetter
from typing import Any

from flows.warehouse.layout import Connection

_AT_ONCE = 500


def chunks(connection: Connection, numbered: str) -> range:
    """The first ordinals of all chunks of a table of numbered documents."""
    ((last,),) = connection.execute(f"SELECT coalesce(max(ordinal), 0) FROM {numbered}").fetchall()
    return range(1, last + 1, _AT_ONCE)


def in_chunk(first: int) -> str:
    """The condition on ``ordinal`` of the chunk that begins with one."""
    return f"ordinal >= {first} AND ordinal < {first + _AT_ONCE}"


def near_chunk(connection: Connection, numbered: str, first: int) -> str:
    """A condition on ``d.rowid`` that spares reading row groups without documents of the chunk."""
    ((low, high),) = connection.execute(
        f"SELECT min(place), max(place) FROM {numbered} WHERE {in_chunk(first)}"
    ).fetchall()
    return f"d.rowid >= {low} AND d.rowid <= {high}"


def sort_rows(connection: Connection, table: str, query: str, *, temporary: bool = False) -> None:
    """Keep a query's rows by ``ordinal``, its first column: a chunk finds its rows side by side.

    Args:
        connection: of the session.
        table: to make.
        query: to keep.
        temporary: whether it is for this connection alone.
    """
    kind = "TEMP TABLE" if temporary else "TABLE"
    connection.execute(f"CREATE OR REPLACE {kind} {table} AS {query} ORDER BY ordinal")


def rows_of(
    connection: Connection, table: str, order: str, first: int
) -> dict[int, list[tuple[Any, ...]]]:
    """Rows of a chunk by ordinal, without it.

    Args:
        connection: of the session.
        table: of :func:`sort_rows`.
        order: columns that rows of a document are sorted by.
        first: ordinal that the chunk begins with.
    """
    rows = connection.execute(
        f"FROM {table} WHERE {in_chunk(first)} ORDER BY ordinal, {order}"
    ).fetchall()
    return {
        ordinal: [row[1:] for row in group]
        for ordinal, group in itertools.groupby(rows, key=itemgetter(0))
    }
