"""Disks that take nothing more: full, over quota, read-only. Told in one line, whoever noticed.

Workers import this: it knows nothing of DuckDB.
"""

from __future__ import annotations

import errno
import os
import re

import polars as pl

from flows.errors import CharthouseError

_SPACE = "Free space there"
_RIGHTS = "See to the rights of the file and its folder"
FIXES = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f)",
    errno.EROFS: _RIGHTS,
    errno.EACCES: _RIGHTS,
    errno.EEXIST: _RIGHTS,
    errno.ENOTDIR: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EIO: "See to the disk",
}
"""What to do, by the number of the error."""

ONLY_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""Errors that no reading ends with."""


def storage_errno(error: BaseException) -> int | None:
    """The number of a storage error, met by Python or Polars; None if it is another error."""
    number = None
    if isinstance(error, OSError):
        number = error.errno
    elif isinstance(error, pl.exceptions.PolarsError):
        found = re.search(r"\(os error (\d+)\)", str(error))
        number = int(found[1]) if found else None
    return number if number in FIXES else None


def cannot_write(what: str, number: int) -> CharthouseError:
    """The error that says what cannot be written, why, and how to go on."""
    return CharthouseError(
        f"{what} cannot be written: {os.strerror(number).lower()}",
        f"{FIXES[number]}, then run the same command again: what was finished is kept",
    )


def worker_storage_error(shard: str, error: Exception) -> CharthouseError | None:
    """A worker's storage error in words for the main process; None if it is another error."""
    number = storage_errno(error)
    if number not in ONLY_WRITING:
        return None
    return cannot_write(f"{shard}: the work folder", number)
