"""Writing a warehouse anew, without the space that deleted rows took up."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flows.warehouse.access import Access
from flows.warehouse.copying import write_copy
from flows.warehouse.door import door
from flows.warehouse.files import log_file, remove_database
from flows.warehouse.layout import Connection
from flows.warehouse.problems import WarehouseError
from flows.work import sync_folder


@dataclass(frozen=True)
class Compacted:
    """Bytes of a warehouse's file before and after."""

    before: int
    after: int


def compact(connection: Connection, path: Path, access: Access) -> Compacted:
    """Replace the open warehouse by a copy without dead space, and close it.

    DuckDB marks the space of deleted rows as free and writes over it some time; the copy holds none
    of it. The former file stays whole until the copy is durable and takes its name.

    Args:
        connection: the warehouse, open for writing; closed when this returns.
        path: its file.
        access: the key of the new file.

    Raises:
        WarehouseError: the copy could not be written; the warehouse is as it was.
    """
    connection.execute("CHECKPOINT")  # so that no log is left to be taken for the new file's
    path = path.resolve()
    status = path.stat()
    temporary = write_copy(connection, path, access)
    try:
        temporary.chmod(status.st_mode & 0o7777)
        with suppress(OSError):
            os.chown(temporary, status.st_uid, status.st_gid)
        # Nobody opens a warehouse in this folder between the new name and the end of the old lock.
        with door(path.parent):
            temporary.replace(path)
            sync_folder(path.parent)
            connection.close()
            log_file(path).unlink(missing_ok=True)
    except OSError as error:
        raise WarehouseError(
            f"warehouse {path} cannot be replaced ({error.strerror})", "Check the folder's rights"
        ) from None
    finally:
        with suppress(OSError):
            remove_database(temporary)
    return Compacted(status.st_size, path.stat().st_size)
