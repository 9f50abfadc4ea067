"""DuckDB connections: their configuration, and attaching files, encrypted ones too."""

from __future__ import annotations

from pathlib import Path

import duckdb

from flows.warehouse.access import Access
from flows.warehouse.ddl import literal, quoted
from flows.warehouse.files import spill_folder
from flows.warehouse.problems import WarehouseError

Connection = duckdb.DuckDBPyConnection

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


def connect(path: Path | None, *, read_only: bool = False, spill: Path | None = None) -> Connection:
    """Connect to a file, or to memory with what does not fit there beside ``spill``.

    Raises:
        duckdb.Error: whatever DuckDB says.
    """
    connection = duckdb.connect(str(path or ":memory:"), read_only=read_only, config=_CONFIG)
    # Answers must not depend on where a session runs.
    connection.execute("SET TimeZone = 'UTC'")
    if spill is not None:
        connection.execute(f"SET temp_directory = {literal(str(spill_folder(spill)))}")
        connection.execute("SET temp_file_encryption = true")
    return connection


def attach(
    connection: Connection, path: Path, name: str, access: Access, *, read_only: bool = False
) -> None:
    """Attach a file under a name, with the key of ``access`` where it has one.

    The key is a parameter, never part of a statement.

    Raises:
        WarehouseError: nothing here can write encrypted files.
        duckdb.Error: whatever else DuckDB says.
    """
    options = ["READ_ONLY"] if read_only else []
    parameters: list[str] = []
    if access.key is not None:
        if not read_only:
            _need_crypto(connection, access)
        options.append("ENCRYPTION_KEY ?")
        parameters.append(access.key)
    given = f" ({', '.join(options)})" if options else ""
    connection.execute(f"ATTACH {literal(str(path))} AS {quoted(name)}{given}", parameters)


def _need_crypto(connection: Connection, access: Access) -> None:
    """Have the means to write encrypted files: DuckDB's wheel alone can only read them."""
    if access.unsafe_crypto:
        connection.execute("SET force_mbedtls_unsafe = true")
        return
    try:
        connection.execute("LOAD httpfs")
    except duckdb.Error:
        raise WarehouseError(
            "writing an encrypted warehouse needs DuckDB's extension httpfs, which is not "
            "installed",
            f"On a machine with a network run INSTALL httpfs in DuckDB {duckdb.__version__}, and "
            "copy its file to the same place under ~/.duckdb/extensions here",
        ) from None


def confine(connection: Connection) -> None:
    """Take from a session all files but the database it has open, for good."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
