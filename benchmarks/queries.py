"""Analysts' questions on ten million mentions: what the derived tables cost and save.

python benchmarks/queries.py [--mentions 10000000] [--folder FOLDER] [--repeat 5] [--no-live]

A made-up warehouse (``benchmarks/querying/made.py``) is written, and its derived tables are made in
a process of its own within the memory that a run gives DuckDB. Then each question is asked of the
views on a read-only connection with two threads, and beside it of mentions and links as they are:
the same rows must come out. Times are medians of wall seconds.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from querying.made import Shape, counts, write_warehouse
from querying.questions import questions, subjects_of

from flows.derived_settings import DerivedSettings
from flows.settings import ExecutionSettings
from flows.warehouse.connection import Connection, open_warehouse, read_warehouse
from flows.warehouse.derived.refresh import refresh, refresh_if_changed
from flows.warehouse.derived.schema import DERIVED_TABLES
from flows.warehouse.memory import bound_memory

_MEGABYTE = 2**20
THREADS = 2
TARGET_SECONDS = 1.0


def main() -> int:
    """Write, derive, ask; 1 where a view and its live query disagree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mentions", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="where the warehouse is written, and stays")
    parser.add_argument("--repeat", type=int, default=5, help="times each view is asked")
    parser.add_argument("--no-live", action="store_true", help="leave the live queries out")
    parser.add_argument("--derive", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.derive:
        derive(arguments.derive)
        return 0
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="queries-"))
    folder.mkdir(parents=True, exist_ok=True)
    warehouse = folder / f"made-{arguments.mentions}.duckdb"
    try:
        warehouse.unlink(missing_ok=True)
        clock = time.perf_counter()
        write_warehouse(warehouse, Shape(arguments.mentions))
        print(f"made up in {time.perf_counter() - clock:.0f} s; load {os.getloadavg()[0]:.1f}")
        for _ in ("first", "again"):
            subprocess.run([sys.executable, __file__, "--derive", warehouse], check=True)
        with read_warehouse(warehouse) as connection:
            connection.execute(f"SET threads = {THREADS}")
            return ask(connection, arguments.repeat, live=not arguments.no_live)
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder)


def derive(warehouse: Path) -> None:
    """Make the derived tables and print what that took; again where nothing changed."""
    before = warehouse.stat().st_size
    with open_warehouse(warehouse) as connection:
        bound_memory(connection, ExecutionSettings())
        connection.execute(f"SET threads = {THREADS}")
        clock, cpu = time.perf_counter(), time.process_time()
        refresh(connection, DerivedSettings())
        wall, cpu = time.perf_counter() - clock, time.process_time() - cpu
        connection.execute("CHECKPOINT")
        clock = time.perf_counter()
        assert not refresh_if_changed(connection, DerivedSettings())
        found = time.perf_counter() - clock
        rows = counts(connection)
        derived = {
            table.name: connection.execute(f"SELECT count(*) FROM {table.name}").fetchall()[0][0]
            for table in DERIVED_TABLES
        }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    after = warehouse.stat().st_size
    print(", ".join(f"{count:,} {name}" for name, count in rows.items()))
    print("derived: " + ", ".join(f"{count:,} {name}" for name, count in derived.items()))
    print(
        f"derived in {wall:.1f} s ({cpu:.1f} CPU s), {peak:,.0f} MB resident at most; the file "
        f"grew from {before / _MEGABYTE:,.0f} to {after / _MEGABYTE:,.0f} MB; "
        f"told in {found:.2f} s that nothing changed",
        flush=True,
    )


def ask(connection: Connection, repeat: int, *, live: bool) -> int:
    """Ask all questions and print a line for each."""
    slow = differ = 0
    print(f"{'view, s':>9} {'live, s':>9} {'times':>7} {'rows':>7}")
    for question in questions(subjects_of(connection)):
        seconds, rows = timed(connection, question.query, repeat)
        line = f"{seconds:9.3f} {'':9} {'':7} {len(rows):7,}"
        if live and question.live:
            beside, expected = timed(connection, question.live, 1)
            same = sorted(map(repr, rows)) == sorted(map(repr, expected))
            differ += not same
            line = (
                f"{seconds:9.3f} {beside:9.3f} {beside / seconds:7.1f} {len(rows):7,}"
                f"{'' if same else '  DIFFERENT ROWS'}"
            )
        slow += seconds >= TARGET_SECONDS
        print(f"{line}  {question.asked}", flush=True)
    print(f"{slow} of the views' medians are {TARGET_SECONDS:.0f} s or more; {differ} differ")
    return int(differ > 0)


def timed(
    connection: Connection, query: str, repeat: int
) -> tuple[float, Sequence[tuple[object, ...]]]:
    """Median of wall seconds, and the rows."""
    seconds = []
    for _ in range(repeat):
        clock = time.perf_counter()
        rows = connection.execute(query).fetchall()
        seconds.append(time.perf_counter() - clock)
    return statistics.median(seconds), rows


if __name__ == "__main__":
    sys.exit(main())
