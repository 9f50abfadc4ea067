"""What the warehouse knows of source files: which are unchanged and need no parsing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import polars as pl

from flows.errors import SourceError
from flows.order import Order, describe_reading
from flows.pseudonyms import Pseudonyms
from flows.readers.base import SourceFile
from flows.readers.remote import Stamp, fetched
from flows.readers.remote import stamp as remote_stamp
from flows.schema import SOURCES
from flows.warehouse.connection import Connection
from flows.work import file_sha256


@dataclass(frozen=True)
class SourceState:
    """A source file as it is now, and whether all of it is done.

    ``number`` says in which order files were first seen; ``documents`` counts the records that
    were in it when it was last read; ``problem`` says what is known to keep it from being read;
    ``read_before`` how what the warehouse has of it was read; ``touched`` whether an unchanged file
    has another time than the warehouse knows.
    """

    file: SourceFile
    number: int
    stamp: Stamp
    sha256: str
    reading: str
    unchanged: bool
    documents: int
    status: str = "planned"
    problem: str | None = None
    read_before: str | None = None
    touched: bool = False

    def after_reading(self, documents: int, *, cut: bool) -> SourceState:
        """The state once it was read; ``cut`` when a limit ended the reading."""
        return replace(self, documents=documents, status="partial" if cut else "planned")

    def after_failing(self) -> SourceState:
        """The state of a file of which nothing could be taken: it is read again by the next run."""
        return replace(self, status="partial", reading=self.read_before or self.reading)


class _Known(NamedTuple):
    """A row of ``sources``."""

    number: int
    size: int
    mtime: int
    etag: str | None
    sha256: str
    reading: str
    annotation_id: str
    status: str
    documents: int

    @property
    def stamp(self) -> Stamp:
        """What could be told of the file without reading it."""
        return Stamp(self.size, self.mtime, self.etag)


def is_numbered(file: SourceFile) -> bool:
    """Whether the file's records have no ids of their own and are numbered from 0."""
    return file.format == "iob" or (file.columns is not None and file.columns.id is None)


def numbering_clash(other: str, file: SourceFile) -> SourceError:
    """Two files whose records would get the same document ids."""
    return SourceError(
        f"{other} and {file.place} would both number their records in corpus {file.corpus}",
        "Name an id column (--column id=NAME), or give one of them another --corpus",
    )


GONE = "gone"
"""Status of a file that was no longer there when its documents were pruned."""

_NOTHING = Stamp(0, 0, None)
"""Of a file that is not there."""


def files_are_as_planned(
    connection: Connection, order: Order, pseudonyms: Pseudonyms | None = None
) -> bool:
    """Whether the order's files still have the size and time they had when they were read."""
    rows = connection.execute("SELECT path, size, mtime, etag FROM sources").fetchall()
    read = {path: Stamp(*rest) for path, *rest in rows}
    for file in order.files:
        try:
            now = _hidden(stamp(file), pseudonyms)
        except OSError:
            now = _NOTHING
        if read.get(file.name, now) != now:  # what a limit left out was never read
            return False
    return True


def known_sources(
    connection: Connection,
    order: Order,
    folder: Path | None = None,
    pseudonyms: Pseudonyms | None = None,
) -> Iterator[SourceState]:
    """Compare each file of the order with what the warehouse knows of it, one after another.

    A file is unchanged when it was done for the same annotation set, read the same way, and has
    the same size and either the same modification time (for a URL: the same tag too) or the same
    SHA-256. A file of a URL that may be read is here until the next one is asked for.

    Args:
        connection: the warehouse.
        order: what is to be done.
        folder: where to fetch files of URLs to; by default a temporary folder.
        pseudonyms: what hashes are hidden with, under privacy.

    Raises:
        SourceError: two files would number their records alike, or storage does not answer.
    """
    rows = connection.execute(
        "SELECT path, source_number, size, mtime, etag, sha256, reader, annotation_id, status, "
        "documents FROM sources"
    ).fetchall()
    source = order.settings.source
    reads_all = source.prune or source.limit is not None
    known = {path: _Known(*rest) for path, *rest in rows}
    retried = _with_rejects(connection, order)
    next_number = max((row.number for row in known.values()), default=-1) + 1
    for file in order.files:
        path, reading = file.name, describe_reading(file)
        is_new = path not in known or known[path].status == GONE
        if is_new and is_numbered(file):
            for other, row in known.items():
                if row.reading == reading and row.status != GONE:
                    raise numbering_clash(other, file)
        before = known.get(path)
        if before is None:
            number, next_number = next_number, next_number + 1
        else:
            number = before.number
        done = before if path not in retried and _is_done(before, reading, order) else None
        problem = file.problem
        touched = False
        with ExitStack() as stack:
            try:
                now = _hidden(stamp(file), pseudonyms)
                touched = done is None or done.stamp != now
                if reads_all or touched:
                    file = stack.enter_context(fetched(file, folder))
                sha256 = done.sha256 if done and not touched else _content(file, pseudonyms)
            except OSError as error:
                now, sha256 = _NOTHING, ""
                problem = f"the file cannot be read ({error.strerror})"
            yield SourceState(
                file=file,
                number=number,
                stamp=now,
                sha256=sha256,
                reading=reading,
                unchanged=not problem
                and done is not None
                and (done.size, done.sha256) == (now.size, sha256),
                documents=before.documents if before is not None else 0,
                problem=problem,
                read_before=before.reading if before is not None else None,
                touched=touched,
            )


def _hidden(stamp: Stamp, pseudonyms: Pseudonyms | None) -> Stamp:
    """The stamp with its tag keyed under privacy: a tag may be the plain MD5 of a single note."""
    if pseudonyms is None or stamp.etag is None:
        return stamp
    return replace(stamp, etag=pseudonyms.file_hash(stamp.etag))


def _content(file: SourceFile, pseudonyms: Pseudonyms | None) -> str:
    """A hash of the file's content: a file may hold a single note."""
    sha256 = file_sha256(file.path)
    return sha256 if pseudonyms is None else pseudonyms.file_hash(sha256)


def _is_done(before: _Known | None, reading: str, order: Order) -> bool:
    """Whether all of a file was done by an order of this kind."""
    return (
        before is not None
        and before.status == "done"
        and before.reading == reading
        and before.annotation_id == order.annotation.annotation_id
    )


def stamp(file: SourceFile) -> Stamp:
    """What can be told of a file without reading it.

    Raises:
        OSError: it is not there or cannot be looked at.
        SourceError: its storage does not answer.
    """
    if file.url is not None:
        return remote_stamp(file.url)
    stat = file.path.stat()
    return Stamp(stat.st_size, stat.st_mtime_ns, None)


def _with_rejects(connection: Connection, order: Order) -> set[str]:
    """Paths of files whose rejects are to be tried again."""
    if not order.settings.source.retry_rejects:
        return set()
    rows = connection.execute(
        "SELECT DISTINCT path FROM rejects WHERE annotation_id = ?",
        [order.annotation.annotation_id],
    ).fetchall()
    return {path for (path,) in rows}


def sources_frame(states: Sequence[SourceState], annotation_id: str, run_id: str) -> pl.DataFrame:
    """Rows of the ``sources`` table for files that were read."""
    rows = [
        {
            "path": state.file.name,
            "source_number": state.number,
            "size": state.stamp.size,
            "mtime": state.stamp.mtime,
            "etag": state.stamp.etag,
            "sha256": state.sha256,
            "reader": state.reading,
            "annotation_id": annotation_id,
            "status": state.status,
            "documents": state.documents,
            "run_id": run_id,
        }
        for state in states
    ]
    return SOURCES.conform(pl.DataFrame(rows, schema=SOURCES.schema))
