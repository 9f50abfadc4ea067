"""Errors of the disk under a warehouse and its work folder, in the main process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from flows.disk import FIXES, ONLY_WRITING, cannot_write, storage_errno
from flows.work import WorkFolder


@contextmanager
def storage_errors_told(warehouse: Path) -> Iterator[None]:
    """Turn errors of the disk under a warehouse or its work folder into one that says what to do.

    Raises:
        CharthouseError: in their place; other errors pass.
    """
    try:
        yield
    except (OSError, duckdb.Error, pl.exceptions.PolarsError) as error:
        if isinstance(error, duckdb.Error):
            number = _duckdb_errno(error)
            if number is None:
                raise
            raise cannot_write(f"warehouse {warehouse}", number) from None
        number = storage_errno(error)
        if number is None:
            raise
        work = WorkFolder.beside(warehouse).root
        name = getattr(error, "filename", None)
        if number in ONLY_WRITING or (name and Path(os.fsdecode(name)).is_relative_to(work)):
            raise cannot_write(f"work folder {work}", number) from None
        raise


def _duckdb_errno(error: duckdb.Error) -> int | None:
    """DuckDB has errors of the system in words alone."""
    message = str(error)
    return next((number for number in FIXES if os.strerror(number) in message), None)
