"""What the readers of release files share: opening a file, lines, rows, ids and names.

Every function that opens a file takes a ``hint``: the way out where the file itself is bad, for
example "download hp.obo again".
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ontologies.content import ReadOptions
from ontologies.errors import OntologyError
from ontologies.problems import Problems
from ontologies.stream import open_stream

_CURIE = re.compile(r"[A-Za-z][\w.-]*:(?!//)\S+")
_BLANK = b"\xef\xbb\xbf \t\r\n"
_WORKBOOKS = (".xlsx", ".xlsm", ".ods")


def check_file(path: Path, hint: str) -> None:
    """Refuse what cannot be a release file, whatever its format.

    Raises:
        OntologyError: the path is missing or a folder, or the file is unreadable, empty, a damaged
            gzip file, a zip archive, or an HTML page (what a server sends instead of a file).
    """
    if path.is_dir():
        raise OntologyError(f"{path}: is a folder; give the file itself")
    if not path.is_file():
        raise OntologyError(f"{path}: no such file; check the path")
    try:
        with open_stream(path) as stream:
            head = stream.read(1024).lstrip(_BLANK).lower()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _broken_gzip(path, hint) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if not head:
        raise OntologyError(f"{path}: is empty; {hint}")
    if head.startswith(b"pk\x03\x04"):
        if path.suffix.lower() in _WORKBOOKS:
            raise OntologyError(f"{path}: is a workbook; save the sheet as CSV and give that")
        raise OntologyError(f"{path}: is a zip archive; unpack it and give the file in it")
    if head.startswith((b"<!doctype html", b"<html")):
        raise OntologyError(f"{path}: is an HTML page; {hint}")


def open_lines(path: Path, hint: str) -> Iterator[tuple[int, str]]:
    """Stream a text file, plain or gzip: number of the line, from 1, and its text.

    A byte order mark and the ends of lines are taken off.

    Raises:
        OntologyError: as ``check_file``, for a gzip file that is cut short further down, and for a
            line that is not UTF-8.
    """
    check_file(path, hint)
    number = 0
    try:
        with open_stream(path) as stream:
            for number, line in enumerate(stream, start=1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                yield number, text.rstrip("\r\n")
    except UnicodeDecodeError as error:
        byte = f"byte 0x{error.object[error.start]:02x}"
        raise OntologyError(
            f"{path}:{number}: not UTF-8 ({byte}); save the file as UTF-8, or {hint}"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _broken_gzip(path, hint) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def open_rows(path: Path, hint: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Stream the rows of a CSV or TSV file: number of the row's first line, and its cells.

    The first row that is not blank tells the delimiter: a tab if it has one, else whichever of
    comma and semicolon it has more of. Cells may be quoted, and then hold delimiters and line
    ends (RFC 4180). Blank lines are passed over.

    Raises:
        OntologyError: as ``open_lines``; unless lenient, for a row with quotes that do not match.
    """
    lines = ((number, text) for number, text in open_lines(path, hint))
    first = next(((number, text) for number, text in lines if text.strip()), None)
    if first is None:
        return
    skipped, header = first[0] - 1, first[1]
    delimiter = "\t" if "\t" in header else max(",;", key=header.count)
    texts = (f"{text}\n" for text in chain([header], (text for _, text in lines)))
    reader = csv.reader(texts, delimiter=delimiter, strict=True)
    while True:
        line = skipped + reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            problems.report(
                path, line, f"a broken row ({error})", 'write " inside quotes as "", and close them'
            )
            continue
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield line, row


def is_curie(text: str) -> bool:
    """Whether a text is a prefix and an id joined by a colon (``MESH:D003920``), not an IRI."""
    return _CURIE.fullmatch(text) is not None


def tidy(text: str) -> str:
    """A name as it is kept: every run of white space one space, none at the ends."""
    return " ".join(text.split())


def asked_for(types: tuple[str, ...], options: ReadOptions) -> bool:
    """Whether a concept of these types is to be read."""
    return not options.semantic_types or not set(types).isdisjoint(options.semantic_types)


def none_found(path: Path, options: ReadOptions, what: str, hint: str) -> OntologyError:
    """The error for a file that nothing was read from."""
    types = f" of the types {', '.join(options.semantic_types)}" if options.semantic_types else ""
    return OntologyError(f"{path}: holds no {what}{types}; {hint}")


def _broken_gzip(path: Path, hint: str) -> OntologyError:
    return OntologyError(f"{path}: the gzip file is cut short or damaged; {hint}")


def _unreadable(path: Path, error: OSError) -> OntologyError:
    reason = error.strerror or "unreadable"
    return OntologyError(f"{path}: {reason}; check the file and its permissions")
