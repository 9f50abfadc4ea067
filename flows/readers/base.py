"""What a reader is, and the source file it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from flows.readers.check import check_record
from flows.readers.compression import bare_name
from flows.readers.record import Record


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which column of a table plays which role; ``None`` where no column does.

    ``table`` names the table itself, in a file that has several.
    """

    id: str | None = None
    text: str | None = None
    title: str | None = None
    abstract: str | None = None
    date: str | None = None
    person: str | None = None
    encounter: str | None = None
    type: str | None = None
    table: str | None = None


TABLE = "table"
"""What a user maps to the name of a table, beside the roles."""

ROLES = tuple(field.name for field in fields(ColumnMapping) if field.name != TABLE)
"""The roles a user may map a column to."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to read.

    ``format`` is a key of ``READERS``. ``root`` is the folder the user named (or the part of a
    glob before its first wildcard) when the file was found inside one. ``columns`` is set for
    tabular formats only. ``problem`` says what keeps the file from being read, where its head
    shows it. The bytes of a file with a ``url`` are elsewhere: ``path`` and ``root`` are its place
    there, until it is fetched (:func:`flows.readers.remote.fetched`). Where its name is not to be
    stored it has an ``alias``.
    """

    path: Path
    format: str
    corpus: str
    root: Path | None = None
    columns: ColumnMapping | None = None
    problem: str | None = None
    url: str | None = None
    alias: str | None = None

    @property
    def name(self) -> str:
        """What the warehouse knows the file by: its alias if it has one, else its place."""
        return self.alias or self.place

    @property
    def place(self) -> str:
        """Where the file is: its URL, else its path. Only the user is told."""
        return self.url or str(self.path)


def corpus_of_stem(path: Path, root: Path | None) -> str:
    """Corpus named after the file: its name without format and compression suffixes."""
    return Path(bare_name(path)).stem


@dataclass(frozen=True, slots=True)
class Reader:
    """How one format becomes records.

    Attributes:
        name: the format's name, its key in ``READERS``.
        version: bumped by hand whenever the same bytes yield other records.
        suffixes: file name endings in lower case, without ``.gz`` or ``.zst``.
        parse: streams the records of a file, unchecked; callers use :meth:`read`.
        sniff: whether the first 64 KB, decompressed, look like this format. Only asked where
            the suffix fits.
        default_corpus: corpus name from path and root, when the user gives none.
        columns: column names of a tabular source, given its path and, where the user names one,
            the table in it; ``None`` for formats that are not tabular.
        has_tables: whether a file holds several tables, of which one is read.
        by_name_only: whether a file found in a folder or by a glob is passed over unless the
            format is named.
    """

    name: str
    version: int
    suffixes: tuple[str, ...]
    parse: Callable[[SourceFile], Iterator[Record]]
    sniff: Callable[[bytes], bool]
    default_corpus: Callable[[Path, Path | None], str] = corpus_of_stem
    columns: Callable[[Path, str | None], tuple[str, ...]] | None = None
    has_tables: bool = False
    by_name_only: bool = False

    def read(self, file: SourceFile) -> Iterator[Record]:
        """Yield the file's records in file order, unfit documents turned into ``BadRecord``.

        Raises:
            SourceError: the file as a whole cannot be read on; records yielded before hold.
        """
        return map(check_record, self.parse(file))
