"""Where a report may be written, and writing it whole or not at all."""

from __future__ import annotations

from pathlib import Path

from flows.errors import CharthouseError
from flows.places import check_folder_of
from flows.work import write_durably

MARK = "<!-- charthouse report -->"
"""Stands near the beginning of every report: what may be replaced by another."""

_BEGINNING = 200


def check_place(out: Path) -> Path:
    """Check before any work that a report can be written to a path; returns it, resolved.

    Raises:
        CharthouseError: the folder is missing or cannot be written to, or there is something that
            is no report.
    """
    path = out.resolve()
    check_folder_of(out, "report")
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
    try:
        write_durably(path, lambda temporary: temporary.write_bytes(content), private=private)
    except OSError as error:
        raise CharthouseError(
            f"report {path} cannot be written ({error.strerror})",
            "Check the folder's rights and free space",
        ) from None
    return len(content)


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return MARK.encode() in file.read(_BEGINNING)
    except OSError:
        return False
