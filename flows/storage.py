"""Shared storage that fsspec knows: a folder all machines see, or an object store.

Credentials are taken from the environment by fsspec's implementations; a URL that holds any is
refused, since URLs stand in settings, tables and Prefect.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from flows.errors import CharthouseError, kind_and_place
from flows.work import file_sha256, is_intact, make_private, write_durably

_EXTRAS = {"s3": "s3", "s3a": "s3"}
"""Protocol to the extra of charthouse that brings its implementation."""

_AGAIN = "Run the same command again"


class StorageError(CharthouseError):
    """Shared storage does not do what was asked of it."""


def is_url(name: str) -> bool:
    """Whether a name is a URL rather than a path of this machine."""
    return "://" in name


def check_url(url: str) -> None:
    """Make sure that a URL can be used at all, without asking its storage.

    Raises:
        StorageError: it holds credentials, or nothing here speaks its protocol.
    """
    protocol = url.partition("://")[0]
    if "@" in urlsplit(url).netloc:
        raise StorageError(
            f"a {protocol} URL holds a user or a key",
            "Leave it out: credentials are taken from the environment, as fsspec's "
            f"implementation of {protocol} looks for them",
        )
    if "::" in url:
        raise StorageError(f"{url} chains several protocols", "Give a plain URL")
    try:
        fsspec.get_filesystem_class(protocol)
    except ValueError:
        raise StorageError(
            f"nothing here speaks {protocol}://",
            "fsspec's documentation lists the known protocols",
        ) from None
    except ImportError:
        extra = _EXTRAS.get(protocol)
        fix = f'pip install "charthouse[{extra}]"' if extra else "Install fsspec's package for it"
        raise StorageError(f"{protocol}:// needs a package that is not installed", fix) from None


@dataclass(frozen=True)
class Storage:
    """A folder on shared storage; keys are relative to it, with slashes.

    Every method raises :class:`StorageError` where the storage fails.
    """

    url: str

    def put(self, local: Path, key: str) -> None:
        """Store a file, whole or not at all; on a filesystem it is readable by its owner only."""
        with self._at("written", key) as (files, path):
            if isinstance(files, LocalFileSystem):
                _make_folders(Path(path).parent, len(Path(key).parents) - 1)
                write_durably(Path(path), lambda temporary: shutil.copyfile(local, temporary))
            else:
                files.put_file(str(local), path)

    def get(self, key: str, local: Path, checksum: str | None = None) -> None:
        """Fetch a file, whole or not at all; with a SHA-256, only if it is that file."""
        make_private(local.parent)
        with self._at("read", key) as (files, path):
            write_durably(local, lambda temporary: files.get_file(path, str(temporary)))
        if checksum is not None and not is_intact(local, checksum):
            local.unlink()
            raise StorageError(f"a file in {self.url} is not as it was written", _AGAIN)

    def has(self, key: str) -> bool:
        """Whether there is such a file now."""
        with self._at("read", key) as (files, path):
            return bool(files.isfile(path))

    def keys(self, folder: str) -> list[str]:
        """Keys of all files below a folder, sorted; none where there is no such folder."""
        with self._at("listed", folder) as (files, path):
            above = str(path).removesuffix(folder).rstrip("/") + "/"
            return sorted(str(found).removeprefix(above) for found in files.find(path))

    def remove(self, key: str) -> None:
        """Remove a file, or a folder with all in it; nothing where it is not there."""
        with self._at("cleared", key) as (files, path), suppress(FileNotFoundError):
            files.rm(path, recursive=True)

    def check(self) -> None:
        """Make sure that files can be written, read and removed here."""
        check_url(self.url)
        key = f"charthouse-{os.getpid()}-{os.urandom(4).hex()}"
        with TemporaryDirectory() as folder:
            sent, back = Path(folder, "sent"), Path(folder, "back")
            sent.write_text(key, encoding="ascii")
            self.put(sent, key)
            try:
                self.get(key, back, file_sha256(sent))
            finally:
                self.remove(key)

    @contextmanager
    def _at(self, what: str, key: str) -> Iterator[tuple[Any, str]]:
        """The filesystem and the path on it; what fails is told by kind, never by its words."""
        try:
            files, path = url_to_fs(f"{self.url}/{key}")
            files.invalidate_cache()  # others write here too
            yield files, path
        except CharthouseError:
            raise
        except Exception as error:
            raise StorageError(
                f"{self.url} cannot be {what} ({kind_and_place(error)})",
                "Check that it is there, your rights, and the credentials in the environment",
            ) from None


def _make_folders(folder: Path, depth: int) -> None:
    """Make a folder; it and the last of its parents, ``depth`` in all, are their owner's alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for own in [folder, *folder.parents][:depth]:
        own.chmod(0o700)
