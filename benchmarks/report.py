"""The report, section by section: seconds and bytes.

python benchmarks/report.py WAREHOUSE [--repeat 3]

The warehouse is only read; one with ten million mentions is made by ``benchmarks/queries.py
--folder FOLDER``. Times are medians of wall seconds with two threads. Text is left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

from flows.reporting.context import ReportOptions, context_of
from flows.warehouse.connection import read_warehouse
from flows.warehouse.runs import now


def main() -> None:
    """Make each section so many times, then the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--repeat", type=int, default=3, help="times each section is made")
    arguments = parser.parse_args()
    clock = time.perf_counter()
    from flows.reporting.page import page_html
    from flows.reporting.sections import SECTIONS

    print(f"{'import':<14}{time.perf_counter() - clock:8.2f} s")
    with read_warehouse(arguments.warehouse) as connection:
        connection.execute("SET threads = 2")
        context = context_of(connection, arguments.warehouse, ReportOptions())
        sections, total = [], 0.0
        for make in SECTIONS:
            seconds = []
            for _ in range(arguments.repeat):
                clock = time.perf_counter()
                section = make(context)
                seconds.append(time.perf_counter() - clock)
            sections.append(section)
            total += statistics.median(seconds)
            size = len(section.html.encode())
            print(f"{section.id:<14}{statistics.median(seconds):8.2f} s {size:>10,} bytes")
        print(f"{'all sections':<14}{total:8.2f} s")
        clock = time.perf_counter()
        page = page_html(context, sections, now())
        print(
            f"{'page':<14}{time.perf_counter() - clock:8.2f} s {len(page.encode()):>10,} bytes, "
            f"with the charts' library; load {os.getloadavg()[0]:.1f}"
        )


if __name__ == "__main__":
    main()
