"""Opening a warehouse: one process writes; its tables, views and schema version are checked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from flows.errors import CharthouseError
from flows.schema import KEYED_TABLES, MIGRATIONS, RUNS, SCHEMA_VERSION, TABLES
from flows.warehouse.ddl import create_table, literal, quoted
from flows.warehouse.views import VIEWS
from nlp.schema import DOCUMENTS
from ontologies.table import Table

Connection = duckdb.DuckDBPyConnection

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class WarehouseError(CharthouseError):
    """A warehouse cannot be opened: missing, held by another process, foreign or too new."""


class EmptyWarehouseError(WarehouseError):
    """A DuckDB file without any table: a run was killed while it made the warehouse."""


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """All or nothing: commit at the end of the block, roll back on any error in it."""
    connection.begin()
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):  # the error that led here is the one to tell
            connection.rollback()
        raise
    connection.commit()


@contextmanager
def open_warehouse(path: Path) -> Iterator[Connection]:
    """Open a warehouse for writing, creating it with its tables and views where it is not there.

    One of an older schema is brought to this one, in one transaction.

    Raises:
        WarehouseError: another process holds it, or the file is no warehouse of this schema.
    """
    if not path.parent.is_dir():
        raise WarehouseError(
            f"warehouse {path}: its folder does not exist", f"Create {path.parent} first"
        )
    if path.is_file() and path.stat().st_size == 0:
        path.unlink()  # left by a kill between making the file and its first page
    connection = _connect(path, read_only=False)
    try:
        if there := _tables_there(connection):
            _migrate(connection, _check_version(connection, path))
            _add_missing(connection, there)
        else:
            prepare(connection)
        yield connection
    finally:
        connection.close()


@contextmanager
def read_warehouse(path: Path) -> Iterator[Connection]:
    """Open a warehouse for reading only.

    Raises:
        WarehouseError: there is none, a run holds it, or the file is no warehouse of this schema.
    """
    if not path.is_file():
        raise WarehouseError(
            f"warehouse {path} does not exist", "charthouse run SOURCE --warehouse makes one"
        )
    if path.stat().st_size == 0:
        raise EmptyWarehouseError(f"warehouse {path} is empty", "charthouse run fills it")
    connection = _connect(path, read_only=True)
    try:
        _check_version(connection, path)
        yield connection
    finally:
        connection.close()


def _connect(path: Path, *, read_only: bool) -> Connection:
    try:
        connection = duckdb.connect(str(path), read_only=read_only, config=_CONFIG)
    except duckdb.IOException as error:
        raise _open_error(path, str(error)) from None
    except duckdb.Error as error:
        raise WarehouseError(
            f"warehouse {path} cannot be opened ({type(error).__name__})",
            "Give the path of a DuckDB file that charthouse made, or of none",
        ) from None
    # Answers must not depend on where a session runs.
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _open_error(path: Path, message: str) -> WarehouseError:
    holder = re.search(r"PID (\d+)", message)
    if holder or "lock" in message.lower():
        who = f"process {holder[1]}" if holder else "another process"
        return WarehouseError(
            f"warehouse {path} is in use by {who}",
            "DuckDB lets one process write, and no other open the file meanwhile: wait for it to "
            "end or stop it",
        )
    if "not a valid DuckDB database" in message or path.is_dir():
        return WarehouseError(f"{path} is no DuckDB file", "Give another path for the warehouse")
    reasons = ("Permission denied", "Read-only file system", "No space left on device")
    reason = next((r for r in reasons if r in message), "An input or output error").lower()
    return WarehouseError(
        f"warehouse {path} cannot be opened: {reason}", "Check the folder's rights and free space"
    )


def _tables_there(connection: Connection) -> set[str]:
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'"
    ).fetchall()
    return {name for (name,) in rows}


def prepare(connection: Connection) -> None:
    """Create all tables and views, with the data dictionary as comments, in one transaction."""
    with transaction(connection):
        connection.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        connection.execute("INSERT INTO schema_version VALUES (?)", [SCHEMA_VERSION])
        for table in TABLES:
            _create(connection, table)
        for view in VIEWS:
            connection.execute(f"CREATE VIEW {quoted(view.name)} AS {view.query}")
            _comment(connection, "VIEW", view.name, view.meaning)


def _migrate(connection: Connection, version: int) -> None:
    if version == SCHEMA_VERSION:
        return
    with transaction(connection):
        for step in range(version, SCHEMA_VERSION):
            for statement in MIGRATIONS[step]:
                connection.execute(statement)
        there = _tables_there(connection)
        for table in (table for table in TABLES if table.name in there):
            _comment_on(connection, table)
        connection.execute("UPDATE schema_version SET version = ?", [SCHEMA_VERSION])


def _add_missing(connection: Connection, there: Collection[str]) -> None:
    """Create tables that are newer than the warehouse."""
    missing = [table for table in TABLES if table.name not in there]
    if missing:
        with transaction(connection):
            for table in missing:
                _create(connection, table)


def _create(connection: Connection, table: Table) -> None:
    """Create a table with its meanings as comments."""
    connection.execute(create_table(table, keyed=table in KEYED_TABLES))
    _comment_on(connection, table)


def _comment_on(connection: Connection, table: Table) -> None:
    _comment(connection, "TABLE", table.name, table.meaning)
    for column in table.columns:
        _comment(connection, "COLUMN", f"{table.name}.{column.name}", column.meaning)


def _comment(connection: Connection, kind: str, name: str, text: str) -> None:
    dotted = ".".join(quoted(part) for part in name.split("."))
    connection.execute(f"COMMENT ON {kind} {dotted} IS {literal(text)}")


def _check_version(connection: Connection, path: Path) -> int:
    """The warehouse's schema version, one that this release can use."""
    there = _tables_there(connection)
    if not there:
        raise EmptyWarehouseError(f"warehouse {path} is empty", "charthouse run fills it")
    if not {"schema_version", DOCUMENTS.name, RUNS.name} <= there:
        raise WarehouseError(
            f"{path} is a DuckDB file, but no charthouse warehouse", "Give another path"
        )
    ((version,),) = connection.execute("SELECT version FROM schema_version").fetchall()
    if version != SCHEMA_VERSION and version not in MIGRATIONS:
        raise WarehouseError(
            f"warehouse {path} has schema version {version}, this charthouse writes "
            f"{SCHEMA_VERSION}",
            "Use the charthouse release that made it, or start a new warehouse",
        )
    return int(version)
