"""Exporting: select documents, let a format write them to a new folder, put it in place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import duckdb

from flows import __version__
from flows.errors import CharthouseError
from flows.exporting.folder import check_out, new_folder, size_of, write_manifest
from flows.exporting.outcome import Exported, ExportedFile, Written
from flows.exporting.selection import Selection, select_documents
from flows.schema import SCHEMA_VERSION
from flows.settings import ExecutionSettings
from flows.warehouse.access import Access
from flows.warehouse.connection import read_beside
from flows.warehouse.ddl import literal
from flows.warehouse.layout import Connection, check_version
from flows.warehouse.memory import bound_memory
from flows.work import make_private, remove_tree


class Format(Protocol):
    """One way to write documents; its fields are what the user chose of it.

    Attributes:
        name: as the command line has it.
        annotated: whether it is about documents with current annotations only.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def annotated(self) -> bool: ...  # noqa: D102

    def check(self) -> None:
        """Check at the door what can be checked without the warehouse."""

    def expect(self, connection: Connection) -> Written:
        """What :meth:`write` would write, without writing anything."""

    def write(self, connection: Connection, folder: Path) -> Written:
        """Write the selected documents to a folder that is empty."""


@dataclass(frozen=True)
class Order:
    """What to export, and where to."""

    warehouse: Path
    out: Path
    format: Format
    selection: Selection = field(default_factory=Selection)
    overwrite: bool = False
    dry_run: bool = False


def export(
    order: Order, access: Access | None = None, execution: ExecutionSettings | None = None
) -> Exported:
    """Export documents of a warehouse, which is only read.

    Args:
        order: what to export.
        access: how the warehouse is opened.
        execution: bounds DuckDB's memory; what does not fit goes to disk, in the folder that is
            being written.

    Raises:
        CharthouseError: the warehouse cannot be read, the folder cannot be used, nothing is
            selected, or the disk is full.
    """
    order.format.check()
    path = check_out(order.out, overwrite=order.overwrite or order.dry_run)
    execution = execution or ExecutionSettings()
    with read_beside(order.warehouse, access or Access()) as connection:
        if check_version(connection, order.warehouse) != SCHEMA_VERSION:
            raise CharthouseError(
                f"warehouse {order.warehouse} was made by an older charthouse",
                f"charthouse compact -w {order.warehouse} brings it up to date",
            )
        bound_memory(connection, execution)
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET enable_progress_bar = false")
        if order.dry_run:
            with TemporaryDirectory() as away, _told(order.out), _spill(connection, Path(away)):
                documents = select_documents(
                    connection, order.selection, annotated=order.format.annotated
                )
                return _outcome(order, documents, order.format.expect(connection), None)
        with _told(order.out), new_folder(path) as folder:
            with _spill(connection, folder):
                documents = select_documents(
                    connection, order.selection, annotated=order.format.annotated
                )
                written = order.format.write(connection, folder)
            outcome = _outcome(order, documents, written, folder)
            content = outcome.as_dict()
            content = {key: content[key] for key in ("format", "documents", "files", "counts")}
            created = datetime.now(UTC).isoformat(timespec="seconds")
            write_manifest(folder, {"charthouse": __version__, "created_at": created, **content})
        return outcome


@contextmanager
def _spill(connection: Connection, folder: Path) -> Iterator[None]:
    """Let DuckDB put what does not fit into memory beside the export, not beside the warehouse.

    As plain as the export itself: to encrypt it DuckDB's wheel lacks the means.
    """
    spill = make_private(folder / "spill")
    connection.execute(f"SET temp_directory = {literal(str(spill))}")
    connection.execute("SET temp_file_encryption = false")
    yield
    remove_tree(spill)


@contextmanager
def _told(out: Path) -> Iterator[None]:
    """Errors of DuckDB and the disk as one line; an interruption as such."""
    try:
        yield
    except (duckdb.InterruptException, RuntimeError) as error:
        # Within a query DuckDB makes one of these of Ctrl-C.
        if "interrupt" not in str(error).lower():
            raise
        raise KeyboardInterrupt from None
    except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
        raise CharthouseError(
            f"export {out} could not be written ({type(error).__name__})",
            "Check the folder's rights and free space; execution.memory_megabytes is what DuckDB "
            "may hold",
        ) from None


def _outcome(order: Order, documents: int, written: Written, folder: Path | None) -> Exported:
    files = tuple(
        ExportedFile(name, rows, size_of(folder / name) if folder else None)
        for name, rows in written.rows.items()
    )
    return Exported(
        order.format.name,
        order.out,
        folder is None,
        documents if written.documents is None else written.documents,
        files,
        dict(written.counts),
    )
