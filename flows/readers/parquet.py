"""Parquet tables, read in small batches of rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from flows.errors import SourceError
from flows.readers.base import Reader, SourceFile
from flows.readers.record import BadRecord, Record
from flows.readers.tabular import map_columns, row_record

_BATCH_ROWS = 256
_BUFFER = 1 << 20


def _columns(path: Path) -> tuple[str, ...]:
    with _table(path) as table:
        return tuple(table.schema_arrow.names)


def _parse(file: SourceFile) -> Iterator[Record]:
    columns = file.columns or map_columns(file.path, _columns(file.path), {})
    with _table(file.path) as table:
        ordinal = 0
        for batch in table.iter_batches(batch_size=_BATCH_ROWS):
            for row in _rows(batch):
                if isinstance(row, BadRecord):
                    yield row
                else:
                    yield row_record(row, columns, ordinal)
                ordinal += 1


def _rows(batch: Any) -> Iterator[dict[str, Any] | BadRecord]:
    batch = _microseconds(batch)
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError):
        # Some row holds invalid UTF-8 or a date beyond Python's: only that row is lost.
        for position in range(batch.num_rows):
            try:
                row = batch.slice(position, 1).to_pylist()[0]
            except UnicodeDecodeError:
                yield BadRecord("not valid UTF-8")
            except (ValueError, OverflowError):
                yield BadRecord("row holds a value that cannot be read")
            else:
                yield row
    else:
        yield from rows


def _microseconds(batch: Any) -> Any:
    """Nanosecond timestamps cut to what Python's datetime holds."""
    for position, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            column = batch.column(position).cast(pa.timestamp("us", field.type.tz), safe=False)
            batch = batch.set_column(position, field.name, column)
    return batch


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
    version=1,
    suffixes=(".parquet", ".pq"),
    parse=_parse,
    sniff=lambda head: head.startswith(b"PAR1"),
    columns=_columns,
)
