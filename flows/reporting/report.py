"""Making a report of a warehouse, and publishing it whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flows.errors import CharthouseError
from flows.reporting.context import Context, ReportOptions, context_of
from flows.reporting.section import Section
from flows.warehouse.access import Access
from flows.warehouse.connection import Connection, read_warehouse
from flows.warehouse.files import sync_file
from flows.warehouse.runs import now
from flows.warehouse.session import confine
from flows.work import sync_folder

MARK_BYTES = 200
"""The mark of a report stands among its first so many bytes."""

_PRIVATE, _OPEN = 0o600, 0o666


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        path: the file.
        bytes: its size.
        run_id: the run that it is about.
        sections: ids of its sections.
        with_text: whether it holds text of documents, and only its owner can read it.
    """

    path: str
    bytes: int
    run_id: str
    sections: tuple[str, ...]
    with_text: bool


def check_report(out: Path, warehouse: Path) -> Path:
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
    if path == warehouse.resolve() or (path.exists() and not _is_report(path)):
        raise CharthouseError(
            f"{out} is there and is no report of charthouse",
            "Give the report another path, or remove that file first",
        )
    return path


def write_report(
    warehouse: Path, out: Path, options: ReportOptions, access: Access | None = None
) -> Written:
    """Make a report of a warehouse and put it in the place of a former one.

    Raises:
        CharthouseError: the warehouse has no run or no derived tables, or the report cannot be
            written.
    """
    path = check_report(out, warehouse)
    with read_warehouse(warehouse, access or Access()) as connection:
        confine(connection)
        page, run_id, sections = make_report(connection, warehouse, options)
    content = page.encode()
    _publish(path, content, _PRIVATE if options.with_text else _OPEN)
    return Written(
        str(path), len(content), run_id, tuple(s.id for s in sections), options.with_text
    )


def make_report(
    connection: Connection, warehouse: Path, options: ReportOptions
) -> tuple[str, str, list[Section]]:
    """The page of an open warehouse, the run that it is about, and its sections.

    Raises:
        CharthouseError: the warehouse has no run or no derived tables.
    """
    context = context_of(connection, warehouse, options)
    from flows.reporting.page import page_html
    from flows.reporting.sections import SECTIONS

    sections = [make(context) for make in SECTIONS]
    sections += _viewer(context)
    return page_html(context, sections, now()), context.run_id, sections


def _viewer(context: Context) -> list[Section]:
    """Documents with their mentions, where text may be shown."""
    return []


def _is_report(path: Path) -> bool:
    from flows.reporting.page import MARK

    if not path.is_file():
        return False
    with path.open("rb") as file:
        return MARK.encode() in file.read(MARK_BYTES)


def _publish(path: Path, content: bytes, mode: int) -> None:
    """Write beside the path and rename: readers see the former report or the new one."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb"
        ) as file:
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
