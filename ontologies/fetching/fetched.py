"""A file that is there, whole: downloaded, checked and recorded, or put there by hand."""

from __future__ import annotations

import errno
import gzip
import hashlib
import zipfile
import zlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ontologies.errors import OntologyError
from ontologies.fetching.answers import KINDS
from ontologies.fetching.beside import beside, read_json, write_json
from ontologies.fetching.download import empty, forget, held, size_of, transfer
from ontologies.fetching.errors import DownloadError
from ontologies.fetching.source import MANNER, Manner, Progress, Source

BLOCK = 1 << 20
"""Bytes read at once."""


@dataclass(frozen=True)
class Fetched:
    """A file that is there, whole; stored beside it as ``NAME.fetched.json``.

    Attributes:
        path: the file.
        url: where it came from; None if it was put there by hand.
        sha256: of its bytes.
        size: in bytes.
        last_modified: as the server says.
        fetched_at: when it came, or was found.
        new: whether this call downloaded it; not stored.
    """

    path: Path
    url: str | None
    sha256: str
    size: int
    last_modified: str | None
    fetched_at: str
    new: bool = False


def fetch_file(source: Source, target: Path, *, manner: Manner = MANNER) -> Fetched:
    """Download a ``.gz`` or ``.zip`` file, check it, record it, and put it in place in one step.

    A file that is there already is replaced.

    Raises:
        DownloadError: as :func:`ontologies.fetching.download.transfer`; also for a damaged file.
        OntologyError: the disk is full, or the folder cannot be written.
    """
    part = beside(target, ".part")
    try:
        with held(target) as stream:
            marks = transfer(source, target, stream, manner=manner)
            try:
                fetched = Fetched(
                    target,
                    source.url,
                    _hash(part, f"checking {target.name}", manner.progress),
                    size_of(stream),
                    marks.last_modified,
                    _now(),
                    new=True,
                )
                _check_whole(part, target)
            except DownloadError:
                # Wrong bytes cannot be gone on with.
                empty(stream)
                raise
            # In this order a kill leaves a file without a record, never one with a wrong record.
            _record_of(target).unlink(missing_ok=True)
            part.replace(target)
            _record(fetched)
            forget(target)
            return fetched
    except OSError as error:
        raise disk_trouble(error, target.parent) from None


def present(target: Path, *, manner: Manner = MANNER) -> Fetched | None:
    """The file if it is there: fetched before and unchanged, or put there by hand and whole.

    Raises:
        OntologyError: it is there, but damaged, or not what was fetched.
    """
    if not target.exists():
        return None
    try:
        known = recorded(target)
        sha256 = _hash(target, f"checking {target.name}", manner.progress)
        if known is not None:
            if sha256 == known.sha256:
                return known
            raise OntologyError(
                f"{target}: is not the file that was fetched at {known.fetched_at} (its SHA-256 "
                "differs); move it away, or fetch it anew with --again"
            )
        _check_whole(target, target)
        found = Fetched(target, None, sha256, target.stat().st_size, None, _now())
        _record(found)
        return found
    except OSError as error:
        raise disk_trouble(error, target.parent) from None


def recorded(target: Path) -> Fetched | None:
    """What is recorded of a file that was fetched, though the file may be gone by now."""
    stored = read_json(_record_of(target))
    try:
        return Fetched(path=target, **stored) if stored else None
    except TypeError:
        return None


def _check_whole(path: Path, target: Path) -> None:
    """Read a gzip file to its end, where length and checksum are; of a zip archive the list.

    Members of an archive have checksums of their own, which are checked as they are unpacked.
    """
    try:
        if target.suffix == ".zip":
            with zipfile.ZipFile(path):
                return
        with gzip.open(path) as stream:
            while stream.read(BLOCK):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile):
        raise DownloadError(
            f"{target}: the {KINDS[target.suffix]} is cut short or damaged; download it again"
        ) from None


def _hash(path: Path, what: str, progress: Progress) -> str:
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
            done += len(block)
            progress(what, done, total)
    return digest.hexdigest()


def _record_of(target: Path) -> Path:
    return beside(target, ".fetched.json")


def _record(fetched: Fetched) -> None:
    stored = asdict(fetched)
    del stored["path"], stored["new"]
    write_json(_record_of(fetched.path), stored)


def disk_trouble(error: OSError, folder: Path) -> OntologyError:
    """Says why a folder cannot be written, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OntologyError(
            f"{folder}: no space left on the disk; make room and run the same command again, it "
            "goes on where it stopped"
        )
    reason = error.strerror or type(error).__name__
    return OntologyError(f"{folder}: cannot be written ({reason}); check rights and free space")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
