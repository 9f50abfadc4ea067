"""Planning a PubMed baseline file takes the memory of a slice, however many citations it has."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.test_ledger import citation

_PLAN = """
import resource, sys
from pathlib import Path
from flows.plan import Planner
from flows.warehouse import runs
from flows.warehouse.connection import open_warehouse
from flows.work import WorkFolder, make_private
from tests.flows.conftest import Bench

bench = Bench(Path(sys.argv[2]))
order = bench.order(Path(sys.argv[1]))
with open_warehouse(bench.warehouse) as connection:
    work = WorkFolder.beside(bench.warehouse)
    make_private(work.root)
    run_id = runs.new_run_id()
    runs.begin_run(connection, run_id, order)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    planner = Planner(connection, order, work, run_id)
    counts = planner.read()
    planner.commit(counts, 0.0)
    print(counts.new, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def growth(folder: Path, citations: int) -> int:
    """Growth of the peak memory of a process that plans so many citations, in KiB."""
    file = folder / f"pubmed24n{citations // 1000:04d}.xml.gz"
    text = "Asthma and gout in patients treated with placebo. " * 26
    with gzip.open(file, "wt", compresslevel=1) as xml:
        xml.write("<PubmedArticleSet>")
        for pmid in range(1, citations + 1):
            xml.write(citation(pmid, f"{pmid}. {text}"))
        xml.write("</PubmedArticleSet>")
    done = subprocess.run(
        [sys.executable, "-c", _PLAN, str(file), str(folder / f"{citations}.duckdb")],
        capture_output=True,
        text=True,
        check=True,
    )
    new, kibibytes = map(int, done.stdout.split())
    assert new == citations
    return kibibytes


@pytest.mark.slow
def test_memory_is_that_of_a_slice(tmp_path: Path) -> None:
    """Five times the citations would take some 200 MB more if their texts were kept."""
    few, many = growth(tmp_path, 8_000), growth(tmp_path, 40_000)
    assert many < few + 60_000
