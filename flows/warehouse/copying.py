"""Copying a whole database: every table, view, comment and key, without dead space."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import duckdb

from flows.warehouse.access import Access
from flows.warehouse.ddl import literal, quoted
from flows.warehouse.files import log_file, remove_database, sync_file, temporary_beside
from flows.warehouse.layout import Connection
from flows.warehouse.problems import WarehouseError
from flows.warehouse.session import attach

_COPY = "copy_of_the_warehouse"

_ROWS_AT_ONCE = 2 * 122_880
"""Whole row groups of DuckDB. In one statement the keys of all rows would have to fit in memory."""


class _Stored(NamedTuple):
    """A table of the database, with the columns that are stored and not computed."""

    schema: str
    name: str
    columns: tuple[str, ...]

    def within(self, database: str) -> str:
        """Its full name."""
        return ".".join(map(quoted, (database, self.schema, self.name)))


def write_copy(
    connection: Connection, path: Path, access: Access, *, without: Collection[str] = ()
) -> Path:
    """Write the open database beside ``path``, durably, under the name it can be renamed from.

    DuckDB copies from within: so what is copied is one state of the tables, and no other process
    and no second opening of the file has a part in it. Rows that were deleted are not copied.

    Args:
        connection: the warehouse, outside a transaction.
        path: what the copy will be called.
        access: its key.
        without: tables to leave empty.

    Returns:
        The temporary name; the caller renames it, or removes it with ``remove_database``.

    Raises:
        WarehouseError: the copy could not be written; nothing is left of it.
    """
    temporary = temporary_beside(path)
    try:
        remove_database(temporary)  # of a process that was killed
        with _unbound_memory(connection):
            attach(connection, temporary, _COPY, access)
            try:
                _fill(connection, without)
                connection.execute(f"CHECKPOINT {_COPY}")
            finally:
                with suppress(duckdb.Error):
                    connection.execute(f"DETACH {_COPY}")
        if log_file(temporary).exists():
            raise WarehouseError(f"the copy at {path} was not written to its end", "Try again")
        sync_file(temporary)
    except BaseException as error:
        with suppress(OSError):
            remove_database(temporary)
        if isinstance(error, duckdb.Error | OSError):
            raise WarehouseError(
                f"no copy could be written at {path} ({type(error).__name__})",
                "Check the folder's rights and free space: the copy needs as much as the warehouse",
            ) from None
        raise
    return temporary


@contextmanager
def _unbound_memory(connection: Connection) -> Iterator[None]:
    """Let DuckDB have its own share of memory: keys of a whole table need more than a run's loads.

    Workers, which a run leaves the memory to, are gone when copies are written.
    """
    ((bound,),) = connection.execute("SELECT current_setting('memory_limit')").fetchall()
    connection.execute("RESET memory_limit")
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # more is in use just now: no reason to fail
            connection.execute(f"SET memory_limit = {literal(bound)}")


def _fill(connection: Connection, without: Collection[str]) -> None:
    ((database,),) = connection.execute("SELECT current_database()").fetchall()
    connection.execute(f"COPY FROM DATABASE {quoted(database)} TO {_COPY} (SCHEMA)")
    for table in _tables(connection):
        if table.schema == "main" and table.name in without:
            continue
        ((there, end),) = connection.execute(
            f"SELECT count(*), coalesce(max(rowid) + 1, 0) FROM {table.within(database)}"
        ).fetchall()
        copied = sum(
            _copy_rows(connection, table, database, start) for start in range(0, end, _ROWS_AT_ONCE)
        )
        if copied != there:
            raise WarehouseError(
                f"a copy has {copied} of {there} rows of {table.name}", "Report this"
            )


def _copy_rows(connection: Connection, table: _Stored, database: str, start: int) -> int:
    """Copy the rows of one slice; returns how many there were."""
    columns = ", ".join(map(quoted, table.columns))
    ((copied,),) = connection.execute(
        f"INSERT INTO {table.within(_COPY)} ({columns}) SELECT {columns} "
        f"FROM {table.within(database)} WHERE rowid >= {start} AND rowid < {start + _ROWS_AT_ONCE}"
    ).fetchall()
    return int(copied)


def _tables(connection: Connection) -> list[_Stored]:
    rows = connection.execute(
        "SELECT c.schema_name, c.table_name, list(c.column_name ORDER BY c.column_index) "
        "FROM duckdb_columns() c JOIN duckdb_tables() t USING (table_oid, database_oid) "
        "WHERE c.database_name = current_database() AND NOT c.is_generated AND NOT t.temporary "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [_Stored(schema, name, tuple(columns)) for schema, name, columns in rows]
