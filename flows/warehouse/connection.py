"""Opening a warehouse: one process writes; its tables, views and schema version are checked.

Everything that opens a warehouse comes through here: so waiting for another process, the error that
names it, and encryption are the same for every command.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from flows.processes import STOP
from flows.warehouse.access import Access
from flows.warehouse.door import door
from flows.warehouse.files import remove_database, remove_spill, sync_file, temporary_beside
from flows.warehouse.holder import busy
from flows.warehouse.layout import (
    Connection,
    bring_up_to_date,
    check_version,
    prepare,
    transaction,
)
from flows.warehouse.problems import EmptyWarehouseError, WarehouseBusyError, WarehouseError
from flows.warehouse.session import attach, connect
from flows.work import sync_folder

__all__ = [
    "Access",
    "Connection",
    "EmptyWarehouseError",
    "WarehouseBusyError",
    "WarehouseError",
    "open_warehouse",
    "prepare",
    "read_beside",
    "read_warehouse",
    "remove_if_unused",
    "transaction",
]

_LOOK_SECONDS = 0.2
"""At most: each look waits a random part of it, so that who looks often has no advantage."""

_SAY_SECONDS = 30.0
_PLAIN = Access()


@contextmanager
def open_warehouse(path: Path, access: Access = _PLAIN) -> Iterator[Connection]:
    """Open a warehouse for writing, creating it with its tables and views where it is not there.

    One of an older schema is brought to this one, in one transaction.

    Raises:
        WarehouseBusyError: another process holds it, for longer than ``access`` waits.
        WarehouseError: the file is no warehouse of this schema, or its key is another one.
    """
    path = path.resolve()  # DuckDB's log lies beside the name that it is given
    if not path.parent.is_dir():
        raise WarehouseError(
            f"warehouse {path}: its folder does not exist", f"Create {path.parent} first"
        )
    connection = _waiting(path, access, lambda: _open_or_make(path, access))
    try:
        # What a process left that was killed: nobody else has the file open, or copies it.
        remove_spill(path)
        remove_database(temporary_beside(path))
        bring_up_to_date(connection, path)
        yield connection
    finally:
        connection.close()


@contextmanager
def read_warehouse(path: Path, access: Access = _PLAIN) -> Iterator[Connection]:
    """Open a warehouse for reading only.

    Raises:
        WarehouseBusyError: a run holds it, for longer than ``access`` waits.
        WarehouseError: there is none, the file is no warehouse of this schema, or its key is
            another one.
    """
    path = path.resolve()
    connection = _waiting(path, access, lambda: _open_to_read(path, access))
    try:
        check_version(connection, path)
        yield connection
    finally:
        connection.close()


@contextmanager
def read_beside(path: Path, access: Access = _PLAIN) -> Iterator[Connection]:
    """Open a warehouse for reading only, in a session that may have other databases beside it.

    What the session makes goes to ``memory``; a cursor of it needs ``USE warehouse`` of its own.

    Raises:
        WarehouseBusyError: a run holds it, for longer than ``access`` waits.
        WarehouseError: as of :func:`read_warehouse`.
    """
    path = path.resolve()
    connection = _waiting(path, access, lambda: _open_to_read(path, access, beside=True))
    try:
        check_version(connection, path)
        yield connection
    finally:
        connection.close()


def remove_if_unused(path: Path, access: Access = _PLAIN) -> None:
    """Remove a warehouse that has seen no run, unless another process has opened it meanwhile."""
    path = path.resolve()
    with suppress(WarehouseError, duckdb.Error), door(path.parent):
        connection = _connect(path, access, read_only=False)
        try:
            used = connection.execute("SELECT 1 FROM runs LIMIT 1").fetchall()
        finally:
            connection.close()
        if not used:
            path.unlink(missing_ok=True)


def _waiting(path: Path, access: Access, opening: Callable[[], Connection]) -> Connection:
    """Try to open until nobody else holds the warehouse, or patience ends."""
    began = said = time.monotonic()
    first = True
    while True:
        try:
            return opening()
        except WarehouseBusyError as error:
            waited = time.monotonic() - began
            if waited >= access.wait_seconds:
                raise
            if first or time.monotonic() - said >= _SAY_SECONDS:
                access.say(
                    f"Waiting: {error.problem} "
                    f"({waited:,.0f} of at most {access.wait_seconds:,.0f} s)"
                )
                first, said = False, time.monotonic()
            STOP.check()
            pause = random.uniform(0.1, 1.0) * _LOOK_SECONDS
            time.sleep(min(pause, access.wait_seconds - waited))


def _open_or_make(path: Path, access: Access) -> Connection:
    with door(path.parent):
        if not path.exists() or (path.is_file() and path.stat().st_size == 0):
            _make(path, access)
        return _connect(path, access, read_only=False)


def _open_to_read(path: Path, access: Access, *, beside: bool = False) -> Connection:
    with door(path.parent, to_read=True):
        if not path.is_file():
            raise WarehouseError(
                f"warehouse {path} does not exist", "charthouse run SOURCE --warehouse makes one"
            )
        if path.stat().st_size == 0:
            raise EmptyWarehouseError(f"warehouse {path} is empty", "charthouse run fills it")
        return _connect(path, access, read_only=True, beside=beside)


def _make(path: Path, access: Access) -> None:
    """Make a warehouse under another name and rename it: it is there whole or not at all."""
    temporary = temporary_beside(path)
    remove_database(temporary)
    try:
        with _connect(temporary, access, read_only=False, shown=path) as connection:
            prepare(connection)
        sync_file(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise WarehouseError(
            f"warehouse {path} cannot be made ({error.strerror})",
            "Check the folder's rights and free space",
        ) from None
    finally:
        remove_database(temporary)


def _connect(
    path: Path,
    access: Access,
    *,
    read_only: bool,
    shown: Path | None = None,
    beside: bool = False,
) -> Connection:
    """Connect to a file, or attach it where others are to be beside it; errors say ``shown``."""
    shown = shown or path
    try:
        if access.key is None and not beside:
            return connect(path, read_only=read_only)
        connection = connect(None, spill=path)
        try:
            attach(connection, path, "warehouse", access, read_only=read_only)
            connection.execute("USE warehouse")
        except BaseException:
            connection.close()
            raise
        return connection
    except duckdb.Error as error:
        raise _open_error(shown, error) from None


def _open_error(path: Path, error: duckdb.Error) -> WarehouseError:
    message = str(error)
    if isinstance(error, duckdb.IOException):
        if held := busy(path, message):
            return held
        if "not a valid DuckDB database" in message or path.is_dir():
            return WarehouseError(
                f"{path} is no DuckDB file", "Give another path for the warehouse"
            )
        reasons = ("Permission denied", "Read-only file system", "No space left on device")
        reason = next((r for r in reasons if r in message), "An input or output error").lower()
        return WarehouseError(
            f"warehouse {path} cannot be opened: {reason}",
            "Check the folder's rights and free space",
        )
    if "without a key" in message:
        return WarehouseError(
            f"warehouse {path} is encrypted",
            "Say where its key is: warehouse.key_variable or warehouse.key_file",
        )
    if "Wrong encryption key" in message:
        return WarehouseError(
            f"warehouse {path} has another key", "Check warehouse.key_variable or .key_file"
        )
    if "is not encrypted" in message:
        return WarehouseError(
            f"warehouse {path} is not encrypted, but the settings name a key",
            "Unset warehouse.key_variable and warehouse.key_file, or give another path",
        )
    return WarehouseError(
        f"warehouse {path} cannot be opened ({type(error).__name__})",
        "Give the path of a DuckDB file that charthouse made, or of none",
    )
