"""The door of a folder: who opens, makes or replaces a warehouse in it goes through alone.

DuckDB's lock is on a file that is there. Between "it is not there" and "I have made it", or between
"I have opened it" and "I have locked it", another process can make, remove or replace the file. So
whatever makes or replaces one does it with the folder locked, and so does whoever opens one. The
lock (``flock`` on the folder itself) leaves no file behind, ends with its process, and is held for
moments, never for a run.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.processes import STOP
from flows.warehouse.problems import WarehouseBusyError

_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.02


@contextmanager
def door(folder: Path, *, to_read: bool = False) -> Iterator[None]:
    """Hold the folder's door; readers share it. Not to be nested.

    Where the file system has no such lock, or the folder cannot be listed, the block runs without.

    Raises:
        WarehouseBusyError: another process does not leave the door.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield  # what follows fails with a better message, or needs no door
        return
    try:
        _lock(descriptor, folder, fcntl.LOCK_SH if to_read else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path, kind: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EINTR):
                return  # a network file system without flock: DuckDB's own lock has to do
        if time.monotonic() > deadline:
            raise WarehouseBusyError(
                f"folder {folder} is locked by a process that opens a warehouse in it",
                "Look for a process that was stopped in its midst, and end it",
            )
        STOP.check()
        time.sleep(_LOOK_SECONDS)
