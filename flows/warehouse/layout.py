"""What a warehouse is made of: tables, views, macros and comments, its version and migrations."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from flows.schema import KEYED_TABLES, MIGRATIONS, RUNS, SCHEMA_VERSION, TABLES
from flows.warehouse.ddl import create_table, literal, quoted
from flows.warehouse.derived.state import outdated
from flows.warehouse.macros import MACROS
from flows.warehouse.problems import EmptyWarehouseError, WarehouseError
from flows.warehouse.views import VIEWS
from nlp.schema import DOCUMENTS
from ontologies.table import Table

Connection = duckdb.DuckDBPyConnection


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


def tables_there(connection: Connection) -> set[str]:
    """Names of the tables in the open warehouse."""
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name = 'main'"
    ).fetchall()
    return {name for (name,) in rows}


def prepare(connection: Connection) -> None:
    """Create tables, views and macros, with the data dictionary as comments, in one transaction."""
    with transaction(connection):
        connection.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        connection.execute("INSERT INTO schema_version VALUES (?)", [SCHEMA_VERSION])
        for table in TABLES:
            create(connection, table)
        create_views(connection)


def bring_up_to_date(connection: Connection, path: Path) -> None:
    """Prepare an empty warehouse, migrate an older one: one transaction, so a kill undoes it.

    Raises:
        WarehouseError: the file is no warehouse, or one of a newer schema.
    """
    if there := tables_there(connection):
        _migrate(connection, check_version(connection, path), there)
    else:
        prepare(connection)


def _migrate(connection: Connection, version: int, there: Collection[str]) -> None:
    missing = [table for table in TABLES if table.name not in there]
    whole = not missing and _has_all_views(connection) and _has_all_macros(connection)
    if version == SCHEMA_VERSION and whole:
        return
    with transaction(connection):
        for step in range(version, SCHEMA_VERSION):
            for statement in MIGRATIONS[step]:
                connection.execute(statement)
        if version != SCHEMA_VERSION:
            for table in (table for table in TABLES if table.name in there):
                _comment_on(connection, table)
            connection.execute("UPDATE schema_version SET version = ?", [SCHEMA_VERSION])
        for table in missing:
            create(connection, table)
        create_views(connection)


def renew_views(connection: Connection) -> None:
    """Make all views those of this release, in one transaction."""
    with transaction(connection):
        create_views(connection)


def check_version(connection: Connection, path: Path) -> int:
    """The warehouse's schema version, one that this release can use.

    Raises:
        WarehouseError: the file is empty, no warehouse, or one of a newer schema.
    """
    there = tables_there(connection)
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


def create(connection: Connection, table: Table) -> None:
    """Create a table with its meanings as comments."""
    connection.execute(create_table(table, keyed=table in KEYED_TABLES))
    _comment_on(connection, table)


def _has_all_views(connection: Connection) -> bool:
    rows = connection.execute(
        "SELECT view_name FROM duckdb_views() "
        "WHERE database_name = current_database() AND schema_name = 'main'"
    ).fetchall()
    return {view.name for view in VIEWS} <= {name for (name,) in rows}


def create_views(connection: Connection) -> None:
    """Create the views and macros, in place of those of an older release, within a transaction.

    Views over derived tables that another release made stay as they are, so that they answer, until
    these are made anew.
    """
    former = {table.name for table in outdated(connection)}
    for view in VIEWS:
        if view.reads(former):
            continue
        connection.execute(f"CREATE OR REPLACE VIEW {quoted(view.name)} AS {view.query}")
        _comment(connection, "VIEW", view.name, view.meaning)
    for macro in MACROS:
        for statement in macro.statements:
            connection.execute(statement)


def _has_all_macros(connection: Connection) -> bool:
    rows = connection.execute(
        "SELECT function_name FROM duckdb_functions() WHERE NOT internal "
        "AND database_name = current_database() AND schema_name = 'main'"
    ).fetchall()
    return {macro.name for macro in MACROS} <= {name for (name,) in rows}


def _comment_on(connection: Connection, table: Table) -> None:
    _comment(connection, "TABLE", table.name, table.meaning)
    for column in table.columns:
        _comment(connection, "COLUMN", f"{table.name}.{column.name}", column.meaning)


def _comment(connection: Connection, kind: str, name: str, text: str) -> None:
    dotted = ".".join(quoted(part) for part in name.split("."))
    connection.execute(f"COMMENT ON {kind} {dotted} IS {literal(text)}")
