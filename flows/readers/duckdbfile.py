"""Tables of a DuckDB file, above all the ``note`` table of OMOP's common data model 5.

The file is opened read-only and by itself, never attached to a warehouse. A view in it may read
from its own tables only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]

from flows.errors import SourceError
from flows.readers.arrowrows import BATCH_ROWS, table_records
from flows.readers.base import Reader, SourceFile
from flows.readers.record import Record
from flows.readers.tabular import map_columns
from flows.warehouse.ddl import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

NOTE = "note"
"""The table that is read where the user names none, in whatever schema and case."""

_MAGIC = b"DUCK"
_MAGIC_AT = 8
_MOST_SHOWN = 20
_NAME_IT = "Name it with --column table=SCHEMA.TABLE"
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": "1",  # a scan by one keeps the order of rows, in views too
    "memory_limit": "256MB",  # of blocks kept; else most of the machine's, with a file that large
    "temp_directory": "",  # nothing is written beside the file
}

_Name = tuple[str, str]
"""Schema and table."""


def _columns(path: Path, table: str | None) -> tuple[str, ...]:
    with _opened(path) as connection:
        return tuple(_select(connection, _choose(connection, path, table)).columns)


def _parse(file: SourceFile) -> Iterator[Record]:
    given = file.columns.table if file.columns else None
    columns = file.columns or map_columns(file.path, _columns(file.path, given), {})
    with _opened(file.path) as connection:
        relation = _select(connection, _choose(connection, file.path, given))
        yield from table_records(relation.to_arrow_reader(BATCH_ROWS), columns)


@contextmanager
def _opened(path: Path) -> Iterator[DuckDBPyConnection]:
    import duckdb  # workers know all readers and read with none: they do without it

    try:
        with duckdb.connect(str(path), read_only=True, config=_CONFIG) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_external_access = false")
            yield connection
    except (duckdb.Error, pa.ArrowException) as error:
        # What DuckDB says may quote values.
        raise SourceError(
            f"{path} cannot be read as a DuckDB file ({type(error).__name__})",
            "Close what has it open, or give a plain copy written by this or an older DuckDB",
        ) from error


def _choose(connection: DuckDBPyConnection, path: Path, given: str | None) -> _Name:
    """The table to read.

    Raises:
        SourceError: there is none of that name, or several.
    """
    names: list[_Name] = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_catalog = current_database() ORDER BY ALL"
    ).fetchall()
    wanted = (given or NOTE).lower()
    exact = [name for name in names if given in (name[1], ".".join(name))]
    found = exact or [name for name in names if wanted in (name[1].lower(), _dotted(name).lower())]
    if len(found) == 1:
        return found[0]
    if found:
        raise SourceError(f"{path} has several tables {wanted}: {_shown(found)}", _NAME_IT)
    raise SourceError(f"{path} has no table {given or NOTE}; it has {_shown(names)}", _NAME_IT)


def _select(connection: DuckDBPyConnection, name: _Name) -> DuckDBPyRelation:
    # With the database, which is called like the file: a schema may be called so, too.
    (database,) = connection.execute("SELECT current_database()").fetchall()[0]
    return connection.sql(f"SELECT * FROM {'.'.join(map(quoted, (database, *name)))}")


def _dotted(name: _Name) -> str:
    return ".".join(name)


def _shown(names: Sequence[_Name]) -> str:
    more = len(names) - _MOST_SHOWN
    shown = ", ".join(map(_dotted, names[:_MOST_SHOWN])) or "no tables"
    return f"{shown} and {more} more" if more > 0 else shown


DUCKDB = Reader(
    name="duckdb",
    version=2,
    suffixes=(".duckdb", ".ddb"),
    parse=_parse,
    sniff=lambda head: head[_MAGIC_AT:].startswith(_MAGIC),
    columns=_columns,
    has_tables=True,
    by_name_only=True,
)
