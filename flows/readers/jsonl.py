"""JSON Lines: one object a line."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.errors import SourceError
from flows.readers.base import Reader, SourceFile
from flows.readers.compression import open_binary
from flows.readers.record import BadRecord, Record
from flows.readers.tabular import map_columns, row_record

_LINES_FOR_COLUMNS = 100
_BOM = b"\xef\xbb\xbf"


def _columns(path: Path, table: str | None = None) -> tuple[str, ...]:
    """The keys of the first lines' objects: a key may be absent where it has no value."""
    names: dict[str, None] = {}
    for row in itertools.islice(json_lines(path), _LINES_FOR_COLUMNS):
        if not isinstance(row, BadRecord):
            names.update(dict.fromkeys(row))
    if not names:
        raise SourceError(
            f"the first lines of {path} are not JSON objects", "JSON Lines has one object a line"
        )
    return tuple(names)


def _parse(file: SourceFile) -> Iterator[Record]:
    columns = file.columns or map_columns(file.path, _columns(file.path), {})
    for ordinal, row in enumerate(json_lines(file.path)):
        yield row if isinstance(row, BadRecord) else row_record(row, columns, ordinal)


def json_lines(path: Path) -> Iterator[dict[str, Any] | BadRecord]:
    """The object of each line that is not blank; other lines as ``BadRecord``."""
    with open_binary(path) as stream:
        for number, line in enumerate(stream):
            line = line.removeprefix(_BOM) if number == 0 else line
            if line.strip():
                yield _row(line)


def _row(line: bytes) -> dict[str, Any] | BadRecord:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return BadRecord("not valid UTF-8")
    except (ValueError, RecursionError):
        return BadRecord("line is not JSON")
    return value if isinstance(value, dict) else BadRecord("line is not a JSON object")


JSONL = Reader(
    name="jsonl",
    version=2,
    suffixes=(".jsonl", ".ndjson"),
    parse=_parse,
    sniff=lambda head: True,
    columns=_columns,
)
