"""The warehouse and its work folder, open for one job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from flows.processes import stoppable
from flows.warehouse import runs
from flows.warehouse.access import Access
from flows.warehouse.connection import Connection, open_warehouse
from flows.warehouse.storage import storage_errors_told
from flows.work import WorkFolder, make_private, remove_tree


@contextmanager
def opened(warehouse: Path, work: WorkFolder, access: Access) -> Iterator[Connection]:
    """Open a warehouse to write to; signals stop the block, and a full disk is told as such.

    The work folder is private. At the end it is removed, unless a run is left to go on with.

    Raises:
        CharthouseError: another process holds the warehouse, or its key is another.
    """
    with (
        stoppable(),
        storage_errors_told(warehouse),
        open_warehouse(warehouse, access) as connection,
    ):
        make_private(work.root)
        try:
            yield connection
        finally:
            with suppress(duckdb.Error):
                if not runs.open_runs(connection):
                    remove_tree(work.root)
