"""Whole runs in tests: the command as a user calls it, and the comparison of two warehouses."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import duckdb

from flows.cli.main import _run
from flows.warehouse.check import check_warehouse
from flows.warehouse.connection import read_warehouse

COMMAND = [sys.executable, "-m", "flows.cli"]

_UNCOMPARED = {"run_id", "against_run_id", "shard_id", "path", "seconds"}


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a run that shares nothing with the user's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "PREFECT_HOME": str(home / "prefect"),
        "CHARTHOUSE_CACHE": str(home / "cache"),
        "COLUMNS": "200",
        **more,
    }


def charthouse(home: Path, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Call the command and wait for it."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def within(home: Path, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, where starting one would cost more than all that it does.

    For commands that end at the door, or look at a warehouse; not for runs.
    """
    words = ["charthouse", *map(str, arguments)]
    out, errors = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", words),
        patch.dict(os.environ, environment(home, **more), clear=True),
        redirect_stdout(out),
        redirect_stderr(errors),
    ):
        code = _run()
    return subprocess.CompletedProcess(words, code, out.getvalue(), errors.getvalue())


def compared(columns: Iterable[str]) -> list[str]:
    """Those columns that must not differ between two runs over the same sources."""
    return [name for name in columns if name not in _UNCOMPARED and not name.endswith("_at")]


def contents(warehouse: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table's rows, sorted, without the columns that may differ between runs."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "SELECT table_name FROM duckdb_tables() ORDER BY 1"
            ).fetchall()
        ]
        tables = {}
        for name in names:
            columns = compared(
                column for (column, *_) in connection.execute(f"DESCRIBE {name}").fetchall()
            )
            kept = ", ".join(f'"{column}"' for column in columns) or "1"  # then the number of rows
            tables[name] = connection.execute(f"SELECT {kept} FROM {name} ORDER BY ALL").fetchall()
        return tables


def query(warehouse: Path, sql: str) -> list[tuple[object, ...]]:
    """Rows of a query."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def assert_sound(warehouse: Path) -> None:
    """No check of the warehouse is breached: offsets, keys, ledger, links and counts."""
    with read_warehouse(warehouse) as connection:
        findings = check_warehouse(connection)
    assert not [finding for finding in findings if finding.breaches]
