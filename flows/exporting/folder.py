"""The folder of an export: there whole or not at all, whatever happens while it is written.

It is written as ``.NAME.new`` beside its place, locked by the process that writes it, and renamed.
With the former export in the way, that one is renamed to ``.NAME.old`` first; what a kill leaves
between the two renames is put back by the next export.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.errors import CharthouseError
from flows.warehouse.files import sync_file
from flows.work import make_private, remove_tree, sync_folder

MANIFEST = "export.json"
"""The file by which a folder is known as an export: only such a folder is ever replaced."""


def check_out(out: Path, *, overwrite: bool) -> Path:
    """Check at the door that an export can go to a folder; returns the path, resolved.

    Raises:
        CharthouseError: the parent is missing or cannot be written to, the folder holds something
            and ``overwrite`` is not asked for, or what it holds is no export.
    """
    path = out.resolve()
    if not path.parent.is_dir():
        raise CharthouseError(
            f"export {out}: its parent folder does not exist", f"Create {path.parent} first"
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CharthouseError(
            f"export {out}: {path.parent} cannot be written to", "Check the folder's rights"
        )
    _restore(path)
    if not path.exists():
        return path
    if not path.is_dir():
        raise CharthouseError(f"export {out} is there and is no folder", "Give another --out")
    if any(path.iterdir()):
        if not (path / MANIFEST).is_file():
            raise CharthouseError(
                f"export {out} is a folder that holds something else than an export",
                "Give another --out, or empty it",
            )
        if not overwrite:
            raise CharthouseError(
                f"export {out} is there already", "Give another --out, or --overwrite it"
            )
    return path


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a private folder to write to, which takes its place at the end of the block.

    An error in the block leaves what was there before, and nothing else.

    Args:
        path: what :func:`check_out` returned.

    Raises:
        CharthouseError: another process is writing this export.
    """
    temporary = _beside(path, "new")
    make_private(temporary)
    lock = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CharthouseError(
                f"export {path} is being written by another process", "Wait for it to end"
            ) from None
        except OSError:
            pass  # a network file system without locks
        try:
            _empty(temporary)  # of a process that was killed
            yield temporary
            _sync(temporary)
            _publish(temporary, path)
        except BaseException:
            remove_tree(temporary)
            raise
    finally:
        os.close(lock)


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Write what the export is into it."""
    text = json.dumps(content, ensure_ascii=False, indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f".{path.name}.{suffix}")


def _restore(path: Path) -> None:
    """Mend what a kill left between two renames."""
    former = _beside(path, "old")
    if former.is_dir():
        if path.exists():
            remove_tree(former)
        else:
            former.rename(path)


def _publish(temporary: Path, path: Path) -> None:
    former = _beside(path, "old")
    remove_tree(former)
    if path.exists():
        path.rename(former)
    try:
        temporary.rename(path)
    except OSError:
        _restore(path)
        raise
    sync_folder(path.parent)
    remove_tree(former)


def _empty(folder: Path) -> None:
    for item in folder.iterdir():
        if item.is_dir() and not item.is_symlink():
            remove_tree(item)
        else:
            item.unlink()


def _sync(folder: Path) -> None:
    for item in folder.rglob("*"):
        if item.is_dir():
            sync_folder(item)
        else:
            sync_file(item)
    sync_folder(folder)
