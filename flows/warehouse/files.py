"""Files beside a database: its log, its overflow, and the name under which it is written anew."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def beside(path: Path, suffix: str) -> Path:
    """The file of the same name with a suffix more."""
    return path.with_name(path.name + suffix)


def log_file(path: Path) -> Path:
    """DuckDB's write-ahead log of a database."""
    return beside(path, ".wal")


def spill_folder(path: Path) -> Path:
    """Where DuckDB puts what does not fit into memory."""
    return beside(path, ".tmp")


def temporary_beside(path: Path) -> Path:
    """The name under which a database is written before it takes its place.

    It is always the same one: what a kill leaves is removed by whoever writes next.
    """
    return path.with_name(f".{path.name}.new")


def remove_database(path: Path) -> None:
    """Remove a database with its log and overflow; nothing where they are not there."""
    path.unlink(missing_ok=True)
    log_file(path).unlink(missing_ok=True)
    remove_spill(path)


def remove_spill(path: Path) -> None:
    """Remove a database's overflow: it holds texts, and a killed process leaves it behind."""
    folder = spill_folder(path)
    for file in folder.glob("duckdb_temp*"):
        file.unlink(missing_ok=True)
    with suppress(OSError):  # not there, or it holds what is not DuckDB's
        folder.rmdir()


def sync_file(path: Path) -> None:
    """Make a file durable. Never of a database that this process has open: its lock would go."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
