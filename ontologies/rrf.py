"""Read the pipe-separated files of NLM's Rich Release Format in blocks of rows.

Format: https://www.ncbi.nlm.nih.gov/books/NBK9685/. UTF-8, no header, no quoting, and a ``|``
after every column, the last one too. MRREL has 66 million rows, so that nothing here looks at
rows one by one but those that are wrong.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from ontologies.errors import OntologyError
from ontologies.problems import Problems
from ontologies.stream import open_stream

BLOCK_SIZE = 32 * 2**20
"""Bytes of text read at once: large enough for Polars to be fast, small enough to stay flat."""

Mend = Callable[[str, Sequence[str]], dict[str, str] | None]

_AGAIN = "download the release again"


def read_rows(
    path: Path,
    columns: Sequence[str],
    wanted: Sequence[str],
    problems: Problems,
    mend: Mend | None = None,
) -> Iterator[pl.DataFrame]:
    """Stream the rows of one file, plain or gzip, in file order.

    A row with too few or too many columns is reported; empty lines are passed over.

    Args:
        path: the file; gzip is told by its magic number.
        columns: names of all its columns, in file order.
        wanted: the columns to read.
        problems: where rows that cannot be used are reported.
        mend: makes columns of a line that has too many separators, or None if it cannot. How
            many it mended is noted once, with the first one's line.

    Yields:
        Frames of some 100,000 rows: the wanted columns as strings, empty ones as ``""``, and
        ``line``, the row's line in the file, counted from 1.

    Raises:
        OntologyError: the file cannot be read, is truncated, is not UTF-8, or has no row of
            that many columns where it begins; also for a bad row, unless ``problems`` is lenient.
    """
    # What follows the last separator is a column to the CSV reader: nothing, or a carriage return.
    schema = dict.fromkeys([*columns, ""], pl.String)
    before = count_mended = first_mended = 0
    for block in _blocks(path):
        text = block
        if not before:
            text = text.removeprefix(b"\xef\xbb\xbf")
            _check_kind(path, text)
        _check_encoding(path, text, before)
        lines = pl.read_lines(
            text, name="text", row_index_name="line", row_index_offset=before + 1
        ).with_columns(found=pl.col("text").str.count_matches("|", literal=True))
        good = lines.filter(pl.col("found") == len(columns))
        bad = lines.filter(pl.col("found") != len(columns), pl.col("text") != "")
        mended, bad = _mended(bad, columns, wanted, mend)
        if not before and good.is_empty() and mended.is_empty() and not bad.is_empty():
            raise OntologyError(
                f"{path}:1: no rows of {len(columns)} columns, each closed by |; {_AGAIN}"
            )
        for line, found in bad.select("line", "found").iter_rows():
            problems.report(
                path,
                line,
                f"{found} columns instead of {len(columns)}",
                "mend that row, or leave such rows out with --lenient",
            )
        before += lines.height
        if not mended.is_empty():
            first_mended = first_mended or mended["line"][0]
            count_mended += mended.height
            yield mended
        if good.is_empty():
            continue
        if good.height < lines.height:
            text = good["text"].str.join("\n").item().encode()
        rows = pl.scan_csv(
            text,
            has_header=False,
            separator="|",
            quote_char=None,
            schema=schema,
            empty_string_is_null=False,
        )
        # The lines only fit if the CSV reader cut the text into the rows that were counted.
        yield rows.select(wanted).collect().with_columns(good["line"].cast(pl.Int64))
    if count_mended:
        problems.note(
            f"{path}:{first_mended}: {count_mended:,} rows from here on have | inside a column that"
            " is not needed; they were read all the same"
        )


def _mended(
    bad: pl.DataFrame, columns: Sequence[str], wanted: Sequence[str], mend: Mend | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows with too many columns that ``mend`` can read, and those that are bad all the same."""
    schema = {**dict.fromkeys(wanted, pl.String), "line": pl.Int64}
    if mend is None or bad.is_empty():
        return pl.DataFrame(schema=schema), bad
    known = [
        mend(text, columns) if found > len(columns) else None
        for text, found in bad.select("text", "found").iter_rows()
    ]
    rows = [
        [row[column] for column in wanted] + [line]
        for row, line in zip(known, bad["line"], strict=True)
        if row is not None
    ]
    unread = pl.Series([row is None for row in known], dtype=pl.Boolean)
    return pl.DataFrame(rows, schema=schema, orient="row"), bad.filter(unread)


def _blocks(path: Path) -> Iterator[bytes]:
    """The file's text, cut at ends of lines."""
    try:
        with open_stream(path) as stream:
            while block := stream.read(BLOCK_SIZE):
                yield block + stream.readline()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OntologyError(f"{path}: the gzip file is cut short or damaged; {_AGAIN}") from error
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise OntologyError(f"{path}: {reason}; check the file and its permissions") from error


def _check_kind(path: Path, text: bytes) -> None:
    head = text[:1024].lstrip().lower()
    if head.startswith(b"pk\x03\x04"):
        raise OntologyError(f"{path}: is a zip archive; unpack it and give the folder META in it")
    if head.startswith((b"<!doctype html", b"<html")):
        raise OntologyError(f"{path}: is an HTML page, not a file of rows; {_AGAIN}")


def _check_encoding(path: Path, text: bytes, before: int) -> None:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = before + text.count(b"\n", 0, error.start) + 1
        raise OntologyError(
            f"{path}:{line}: not UTF-8; {_AGAIN}, or convert the file to UTF-8"
        ) from error
