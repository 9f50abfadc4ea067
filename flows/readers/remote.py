"""Source files on storage that fsspec knows: listed, recognised by their heads, fetched to be read.

A file is fetched as a whole while it is read and removed then: readers go back and forth in files,
and a network that fails should not look like a damaged file.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from fsspec.core import url_to_fs

from flows.errors import CharthouseError, SourceError, kind_and_place
from flows.readers.base import SourceFile
from flows.storage import check_url
from flows.work import make_private, remove_tree

_HEAD_BYTES = 256 * 1024
_TAIL_BYTES = 1024 * 1024
_FOOTED_SUFFIX = ".parquet"
_TAGS = ("ETag", "etag", "md5Hash", "content_md5", "md5", "generation")
"""What implementations call the tag of an object's content."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that a URL names, or that was found below it.

    ``place`` is its path there; ``size`` is in bytes, None where a web server does not tell.
    """

    url: str
    place: PurePosixPath
    size: int | None


@dataclass(frozen=True)
class Stamp:
    """What storage says of a file without reading it: if all is the same, so is the file.

    ``mtime`` is in nanoseconds since 1970, 0 where storage does not tell; ``etag`` a tag that it
    gives a version, none for files of this machine.
    """

    size: int
    mtime: int
    etag: str | None


def list_remote(source: str) -> tuple[PurePosixPath | None, list[RemoteFile]]:
    """The files that a URL names: one file, all below a folder, or those that fit a glob.

    Returns:
        The folder they were looked for in, none for one file; and the files, sorted, hidden ones
        passed over.

    Raises:
        SourceError: there is nothing, or the storage does not answer.
    """
    check_url(source)
    with _storage(source, "listed") as (files, path):
        if glob.has_magic(path):
            fixed = PurePosixPath(path)
            while glob.has_magic(str(fixed)):
                fixed = fixed.parent
            root, found = fixed, files.glob(path, detail=True)
        elif files.isfile(path):
            return None, [_remote(files, files.info(path))]
        else:
            root, found = PurePosixPath(path), files.find(path, detail=True)
        listed = [_remote(files, info) for info in found.values() if info["type"] == "file"]
    if not listed:
        raise SourceError(f"there is nothing at {source}", "Quote globs and check the URL")
    visible = [file for file in listed if not _is_hidden(file.place.relative_to(root))]
    return root, sorted(visible, key=lambda file: file.url)


def outline(file: RemoteFile, local: Path) -> bool:
    """Fetch what tells a file's format and columns; returns whether that is all of it.

    The local file has the size of the remote one: between head and tail it is empty.
    """
    local.parent.mkdir(parents=True, exist_ok=True)
    if file.size is None:
        fetch(file.url, local)
        return True
    if file.size == 0:  # no range of bytes can be asked for
        local.touch()
        return True
    with _storage(file.url, "read") as (files, path), local.open("wb") as stream:
        stream.write(files.cat_file(path, start=0, end=min(file.size, _HEAD_BYTES)))
        if file.size <= _HEAD_BYTES:
            return True
        if file.place.suffix.lower() == _FOOTED_SUFFIX:
            start = max(_HEAD_BYTES, file.size - _TAIL_BYTES)
            stream.seek(start)
            stream.write(files.cat_file(path, start=start, end=file.size))
    return False


def fetch(url: str, local: Path) -> None:
    """Fetch a file."""
    local.parent.mkdir(parents=True, exist_ok=True)
    with _storage(url, "fetched") as (files, path):
        files.get_file(path, str(local))


def _fetch_checksum(url: str, local: Path) -> None:
    """Fetch the ``.md5`` file beside a file, where there is one: it is checked in reading."""
    with _storage(f"{url}.md5", "read") as (files, path):
        if files.exists(path):
            files.get_file(path, str(local.with_name(f"{local.name}.md5")))


@contextmanager
def fetched(file: SourceFile, folder: Path | None) -> Iterator[SourceFile]:
    """The file with its bytes here; what was fetched is removed after the block.

    Args:
        file: a file of this machine is given back as it is.
        folder: where to fetch to; by default a temporary folder.
    """
    if file.url is None:
        yield file
        return
    with TemporaryDirectory() as temporary:
        here = make_private(folder or Path(temporary))
        root = here / (file.root or file.path.parent).name
        path = root / (file.path.relative_to(file.root) if file.root else file.path.name)
        try:
            fetch(file.url, path)
            _fetch_checksum(file.url, path)
            yield replace(file, path=path, root=file.root and root)
        finally:
            remove_tree(root)


def stamp(url: str) -> Stamp:
    """What storage says of a file now.

    Raises:
        FileNotFoundError: it is not there any more.
    """
    with _storage(url, "looked at") as (files, path):
        info = files.info(path)
        tag = next((str(info[name]) for name in _TAGS if info.get(name)), None)
        try:
            mtime = int(files.modified(path).timestamp() * 1e9)
        except (NotImplementedError, AttributeError, KeyError):
            mtime = 0
        return Stamp(int(info["size"] or 0), mtime, tag or str(files.ukey(path)))


@contextmanager
def _storage(url: str, what: str) -> Iterator[tuple[Any, str]]:
    """The filesystem and the path on it; what fails is told by kind, never by its words."""
    try:
        files, path = url_to_fs(url)
        files.invalidate_cache()
        yield files, path
    except (CharthouseError, FileNotFoundError):
        raise
    except Exception as error:
        raise SourceError(
            f"{url} cannot be {what} ({kind_and_place(error)})",
            "Check that it is there, your rights, and the credentials in the environment",
        ) from None


def _remote(files: Any, info: dict[str, Any]) -> RemoteFile:
    name = str(info["name"])
    return RemoteFile(files.unstrip_protocol(name), PurePosixPath(name), info.get("size"))


def _is_hidden(place: PurePosixPath) -> bool:
    return any(part.startswith(".") for part in place.parts)
