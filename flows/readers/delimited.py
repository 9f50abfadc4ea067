"""Delimited tables: comma, tab, semicolon or bar, with a header line, quoted as in RFC 4180."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from flows.errors import SourceError
from flows.readers.base import Reader, SourceFile
from flows.readers.compression import open_binary
from flows.readers.record import BadRecord, Record
from flows.readers.tabular import map_columns, row_record

_DELIMITERS = ",\t;|"
_LONGEST_CELL = 64 * 2**20
"""Characters; also bounds the memory that one stray quote can take."""

_UNCLOSED = "unexpected end of data"


class _Rows(Protocol):
    """What ``csv.reader`` returns; the class itself has no public name."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


def _columns(path: Path, table: str | None = None) -> tuple[str, ...]:
    with _table(path) as (header, _):
        return header


def _parse(file: SourceFile) -> Iterator[Record]:
    with _table(file.path) as (header, rows):
        columns = file.columns or map_columns(file.path, header, {})
        ordinal = -1
        while True:
            first_line = rows.line_num
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                ordinal += 1
                lines = rows.line_num - first_line
                yield BadRecord(
                    f"a quote is never closed, {lines} lines to the end of the file are lost"
                    if _UNCLOSED in str(error)
                    else f"row breaks the rules of CSV quoting or a cell is over {_LONGEST_CELL} "
                    "characters"
                )
                continue
            if not row:
                continue
            ordinal += 1
            if not _is_utf8(row):
                yield BadRecord("not valid UTF-8")
            elif len(row) != len(header):
                yield BadRecord(f"row has {len(row)} cells, header has {len(header)}")
            else:
                yield row_record(dict(zip(header, row, strict=True)), columns, ordinal)


@contextmanager
def _table(path: Path) -> Iterator[tuple[tuple[str, ...], _Rows]]:
    """The header and the rows after it."""
    csv.field_size_limit(_LONGEST_CELL)
    with open_binary(path) as stream:
        # Invalid bytes become surrogates, so that they spoil their own row only; newline=""
        # leaves the line ends inside quoted cells as they are.
        lines = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        first = lines.readline()
        # Strict: a quote in the wrong place would otherwise silently alter the text.
        rows = csv.reader(itertools.chain([first], lines), delimiter=_delimiter(first), strict=True)
        try:
            header = next(rows, [])
        except csv.Error as error:
            raise SourceError(f"the header line of {path} is not valid CSV") from error
        if not _is_utf8(header) or any("\0" in name for name in header):
            raise SourceError(
                f"the header line of {path} is not UTF-8", "Convert the file to UTF-8"
            )
        names = tuple(name or f"column_{n}" for n, name in enumerate(header, start=1))
        yield names, rows


def _delimiter(line: str) -> str:
    unquoted = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=unquoted.count)


def _is_utf8(cells: list[str]) -> bool:
    try:
        "".join(cells).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


CSV = Reader(
    name="csv",
    version=2,
    suffixes=(".csv", ".tsv"),
    parse=_parse,
    sniff=lambda head: True,
    columns=_columns,
)
