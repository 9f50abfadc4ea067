"""What measuring a run costs: wall and CPU seconds of each step and peak memory, on a copy.

    python benchmarks/quality.py W.duckdb [--memory 512MB] [--threads 2]

The latest run of the warehouse is measured anew with all its documents, as at the end of a run. The
ratio is to one plain pass over the same mentions that joins them with their names.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.quality.measure import measure
from flows.quality.settings import QualitySettings
from flows.warehouse.connection import open_warehouse

PASS = """
SELECT m.label, n.status, count(*) FROM mentions m
JOIN document_annotations a USING (document_id, annotation_id)
LEFT JOIN name_links n ON n.lookup_text = m.lookup_text AND n.label = m.label AND n.rank = 1
GROUP BY ALL
"""


@contextmanager
def timed(name: str, seconds: dict[str, tuple[float, float]]) -> Iterator[None]:
    """Wall and CPU seconds of a block, all threads counted."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    seconds[name] = (time.perf_counter() - wall, time.process_time() - cpu)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--memory", default="512MB")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    seconds: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copyfile(arguments.warehouse, Path(folder) / "w.duckdb")
        with open_warehouse(copy) as connection:
            connection.execute(f"SET memory_limit = '{arguments.memory}'")
            connection.execute(f"SET threads = {arguments.threads}")
            ((run_id, mentions),) = connection.execute(
                "SELECT (SELECT max(run_id) FROM runs), count(*) FROM mentions"
            ).fetchall()
            with timed("one plain pass", seconds):
                connection.execute(PASS).fetchall()
            with timed("measure", seconds):
                measure(connection, run_id, QualitySettings())
            with timed("measure again", seconds):
                measure(connection, run_id, QualitySettings())
            ((rows,),) = connection.execute(
                "SELECT (SELECT count(*) FROM quality) + (SELECT count(*) FROM quality_histograms) "
                "+ (SELECT count(*) FROM quality_branches)"
            ).fetchall()
    print(f"{mentions:,} mentions, {rows:,} rows written")
    for name, (wall, cpu) in seconds.items():
        print(f"{name:16} {wall:7.2f} s wall {cpu:7.2f} s CPU")
    ratio = seconds["measure"][1] / seconds["one plain pass"][1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"measure / plain pass: {ratio:.1f} in CPU; peak {peak:,.0f} MB")


if __name__ == "__main__":
    main()
