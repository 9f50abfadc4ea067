"""A release that is there, and what a fetch of one would see to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ontologies.errors import OntologyError
from ontologies.fetching.download import look
from ontologies.fetching.errors import DownloadError, MissingError, RefusedError
from ontologies.fetching.fetched import Fetched, disk_trouble
from ontologies.fetching.source import Manner, Source


@dataclass(frozen=True)
class Release:
    """A release that is there.

    Attributes:
        title: what it is, such as ``MeSH 2026``.
        folder: where it is.
        files: as they were downloaded.
        unpacked: sizes of the files unpacked from them, by name.
        attribution: the line its licence asks for.
        command: how to make a concept store of it.
    """

    title: str
    folder: Path
    files: tuple[Fetched, ...]
    unpacked: dict[str, int]
    attribution: str
    command: str


@dataclass(frozen=True)
class Planned:
    """A file that a fetch would see to.

    Attributes:
        path: where it would be.
        url: where it would come from.
        there: whether it is there already.
        size: in bytes, if the server says.
        remark: what the server says, in words.
    """

    path: Path
    url: str
    there: bool
    size: int | None
    remark: str


def planned(sources: Sequence[Source], target: Path, there: bool, manner: Manner) -> Planned:
    """What the first server that has a file says of it.

    Args:
        sources: where the file may be, likeliest first.
        target: where it would be.
        there: whether it is there already.
        manner: how long to wait.
    """
    remark = ""
    for source in sources:
        try:
            size = look(source, manner=manner)
            return Planned(target, source.url, there, size, "" if size else "size not known")
        except MissingError:
            remark = "not found at the server"
        except RefusedError:
            remark = "refused by the server"
        except DownloadError as error:
            remark = str(error).removeprefix(f"{source.url}: ")
            break
    return Planned(target, sources[0].url, there, None, remark)


def checked_base(base: str, variable: str) -> str:
    """A base address without slash at its end.

    Raises:
        OntologyError: it is none; ``variable`` is what it can be set by.
    """
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise OntologyError(
            f"{variable}={base}: is no address of a mirror; give one like https://host/folder"
        )
    if "@" in parts.netloc:
        # It would be shown and recorded.
        raise OntologyError(f"{variable}: holds a user name or password; leave them out")
    return base.rstrip("/")


def make_folder(out: Path) -> None:
    """Make the folder of a release.

    Raises:
        OntologyError: it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_trouble(error, out) from None
