"""Parquet tables, read in small batches of rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from flows.errors import SourceError
from flows.readers.arrowrows import BATCH_ROWS, table_records
from flows.readers.base import Reader, SourceFile
from flows.readers.record import Record
from flows.readers.tabular import map_columns

_BUFFER = 1 << 20


def _columns(path: Path, table: str | None = None) -> tuple[str, ...]:
    with _table(path) as file:
        return tuple(file.schema_arrow.names)


def _parse(file: SourceFile) -> Iterator[Record]:
    columns = file.columns or map_columns(file.path, _columns(file.path), {})
    with _table(file.path) as table:
        yield from table_records(table.iter_batches(batch_size=BATCH_ROWS), columns)


@contextmanager
def _table(path: Path) -> Iterator[Any]:
    try:
        with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as table:
            yield table
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"{path} is not a readable Parquet file",
            "Fetch or write it again; Parquet compresses by itself, so it must not be gzipped",
        ) from error


PARQUET = Reader(
    name="parquet",
    version=2,
    suffixes=(".parquet", ".pq"),
    parse=_parse,
    sniff=lambda head: head.startswith(b"PAR1"),
    columns=_columns,
)
