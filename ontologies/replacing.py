"""Put a folder in another's place, so that a kill leaves the old one or the new one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to write to; synced and put in its place if all went well."""
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out.name}.building-"
    _sweep(out.parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=out.parent))
    # The lock goes with the process, so that a later build can tell leftovers from builds at work.
    lock = _lock(folder)
    try:
        yield folder
        folder.chmod(0o755)
        _sync_all(folder)
        if out.exists():
            old = Path(tempfile.mkdtemp(prefix=prefix, dir=out.parent))
            out.rename(old)
            folder.rename(out)
            shutil.rmtree(old)
        else:
            folder.rename(out)
        sync(out.parent)
    finally:
        if lock is not None:
            os.close(lock)
        if folder.exists():
            shutil.rmtree(folder)


def _sweep(parent: Path, prefix: str) -> None:
    """Remove what killed builds left."""
    for leftover in parent.iterdir():
        if leftover.name.startswith(prefix) and leftover.is_dir():
            lock = _lock(leftover)
            if lock is not None:
                shutil.rmtree(leftover, ignore_errors=True)
                os.close(lock)


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock, or None if another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _sync_all(folder: Path) -> None:
    for entry in [*folder.rglob("*"), folder]:
        sync(entry)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
