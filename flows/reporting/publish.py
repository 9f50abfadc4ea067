"""Where a report may be written, and writing it whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from flows.errors import CharthouseError
from flows.warehouse.files import sync_file
from flows.work import sync_folder

MARK = "<!-- charthouse report -->"
"""Stands near the beginning of every report: what may be replaced by another."""

_BEGINNING = 200
_PRIVATE, _OPEN = 0o600, 0o666


def check_place(out: Path) -> Path:
    """Check before any work that a report can be written to a path; returns it, resolved.

    Raises:
        CharthouseError: the folder is missing or cannot be written to, or there is something that
            is no report.
    """
    path = out.resolve()
    if not path.parent.is_dir():
        raise CharthouseError(
            f"report {out}: its folder does not exist", f"Create {path.parent} first"
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CharthouseError(
            f"report {out}: its folder cannot be written to", "Check the folder's rights"
        )
    if path.exists() and not _is_report(path):
        raise CharthouseError(
            f"{out} is there and is no report of charthouse",
            "Give the report another path, or remove that file first",
        )
    return path


def publish(path: Path, page: str, *, private: bool) -> int:
    """Write beside the path and rename: readers see the former report or the new one.

    Args:
        path: as :func:`check_place` returned it.
        page: the report.
        private: whether its owner alone may read it, whatever the former one's rights were.

    Returns:
        its size in bytes.

    Raises:
        CharthouseError: it cannot be written.
    """
    content = page.encode()
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(temporary, flags, _PRIVATE if private else _OPEN), "wb") as file:
            file.write(content)
        sync_file(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise CharthouseError(
            f"report {path} cannot be written ({error.strerror})",
            "Check the folder's rights and free space",
        ) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return len(content)


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return MARK.encode() in file.read(_BEGINNING)
    except OSError:
        return False
