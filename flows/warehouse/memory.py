"""How much memory DuckDB may take in the main process; beyond it, it goes to disk."""

from __future__ import annotations

import os

from flows.settings import ExecutionSettings
from flows.warehouse.connection import Connection

_LEAST_MEGABYTES = 512
_MEGABYTES_PER_THREAD = 128
"""DuckDB's threads each hold buffers of their own: it asks for 125 MB a thread."""


def bound_memory(connection: Connection, execution: ExecutionSettings) -> None:
    """Hold DuckDB's buffers to the setting: by itself it takes 80% of RAM, which workers need.

    What does not fit, sorted and joined rows included, goes to ``W.duckdb.tmp`` for the while.
    """
    connection.execute(f"SET memory_limit = '{memory_megabytes(execution)}MiB'")


def memory_megabytes(execution: ExecutionSettings) -> int:
    """Megabytes DuckDB may hold: as set, else 128 for each CPU core, at least 512."""
    if execution.memory_megabytes:
        return execution.memory_megabytes
    return max(_LEAST_MEGABYTES, _MEGABYTES_PER_THREAD * len(os.sched_getaffinity(0)))
