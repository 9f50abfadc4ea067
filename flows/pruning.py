"""Pruning: documents that are in none of the sources any more."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.errors import CharthouseError
from flows.incoming import PER_SOURCE, source_key
from flows.planning import Planning
from flows.sources import SourceState


@dataclass(frozen=True)
class Pruning:
    """What pruning would remove: documents that vanished, and those of the same sources in all."""

    vanished: int
    documents: int
    limit: float

    def check(self) -> None:
        """Refuse to remove more than the limit allows: a folder may not be mounted.

        Raises:
            CharthouseError: too large a share has vanished.
        """
        if self.vanished > self.limit * self.documents:
            raise CharthouseError(
                f"{self.vanished:,} of the {self.documents:,} documents of these sources have "
                f"vanished, more than source.prune_limit allows ({self.limit:.0%})",
                "Check that the sources are complete; if they are, raise --prune-limit",
            )


def find_vanished(planning: Planning, states: Sequence[SourceState]) -> Pruning:
    """Fill the temporary tables ``vanished``, documents in no source any more, and ``gone``, files.

    Looked at are documents whose last version came from a file that was read now from beginning to
    end, or from one that is gone from disk and that the run's sources would have taken in. Those of
    files elsewhere, and of files that could not be read, stay. So do tombstones.

    Args:
        planning: the pass, all records judged.
        states: its files as they were read; with pruning all of them are.
    """
    connection = planning.connection
    read = {state.file.name for state in states if state.status != "partial"}
    failed = {state.file.name for state in states} - read
    known = connection.execute("SELECT path, source_number FROM sources").fetchall()
    unread = [(path, number) for path, number in known if path not in read]
    gone = [
        (path, number)
        for path, number in unread
        if path not in failed and is_gone(path) and is_covered(path, planning.order.sources)
    ]
    gone_paths = {path for path, _ in gone}
    # A release number may stand for files in several folders: all of them must be known.
    others = {_key(path, number) for path, number in unread if path not in gone_paths}
    keys = {_key(s.file.name, s.number) for s in states} | {_key(*row) for row in gone}
    keys -= others | {_key(s.file.name, s.number) for s in states if s.status == "partial"}
    gone_frame = pl.DataFrame({"path": sorted(gone_paths)}, schema={"path": pl.String})
    connection.register("gone_paths", gone_frame.to_arrow())
    connection.execute("INSERT INTO gone SELECT path FROM gone_paths")
    connection.unregister("gone_paths")
    frame = pl.DataFrame({"key": sorted(keys)}, schema={"key": pl.Int64})
    connection.register("pruned_sources", frame.to_arrow())
    in_scope = (
        "FROM documents d SEMI JOIN pruned_sources s "
        f"ON d.source_order // {PER_SOURCE} = s.key WHERE NOT d.is_deleted"
    )
    ((documents,),) = connection.execute(f"SELECT count(*) {in_scope}").fetchall()
    connection.execute(
        f"INSERT INTO vanished SELECT d.document_id {in_scope} "
        "AND d.document_id NOT IN (SELECT document_id FROM incoming)"
    )
    connection.unregister("pruned_sources")
    ((vanished,),) = connection.execute("SELECT count(*) FROM vanished").fetchall()
    return Pruning(vanished, documents, planning.order.settings.source.prune_limit)


def is_gone(path: str) -> bool:
    """Whether a file is no longer there: that it cannot be looked at is not enough.

    A URL that is asked about was not among those that its storage has just listed.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def is_covered(path: str, sources: Iterable[str]) -> bool:
    """Whether one of the sources would take in a file if it were there.

    Args:
        path: absolute path of the file.
        sources: absolute paths of files and folders, and globs.
    """
    return any(_covers(source, path) for source in sources)


def _covers(source: str, path: str) -> bool:
    if glob.has_magic(source) and not os.path.lexists(source):
        return _matches(Path(path).parts, Path(source).parts)
    return path == source or Path(path).is_relative_to(source)


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path fit those of a glob; ``**`` stands for any number of folders."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[n:], pattern[1:]) for n in range(len(parts) + 1))
    return (
        bool(parts)
        and fnmatch.fnmatchcase(parts[0], pattern[0])
        and _matches(parts[1:], pattern[1:])
    )


def _key(path: str, number: int) -> int:
    return source_key(Path(path), number)
