"""Rows of Arrow batches, for the readers of Parquet and DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from flows.readers.base import ColumnMapping
from flows.readers.record import BadRecord, Record
from flows.readers.tabular import row_record

BATCH_ROWS = 256
"""Rows of a batch: notes of any length, so few of them."""


def table_records(batches: Iterable[Any], columns: ColumnMapping) -> Iterator[Record]:
    """The document of each row of Arrow batches, rows counted from 0 over all of them."""
    for ordinal, row in enumerate(chain.from_iterable(map(_rows, batches))):
        yield row if isinstance(row, BadRecord) else row_record(row, columns, ordinal)


def _rows(batch: Any) -> Iterator[dict[str, Any] | BadRecord]:
    """Each row by column name; one that holds what Python cannot, as a ``BadRecord``."""
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
