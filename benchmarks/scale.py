"""What a large corpus costs beside NER: orchestration, memory, and a plan for all of PubMed.

python benchmarks/scale.py --data FOLDER [--documents 1000000] [--quick]
    [--gpu-characters-per-second N]

1. The real corpora (PubMed citations and abstracts, clinical notes) go through the bundled model
   once. That gives its rate, and what it finds.
2. The same documents are repeated under new ids to a tenth of --documents, then to --documents,
   as PubMed release files and CSV files. charthouse runs over them with A STAND-IN FOR NER THAT
   SLEEPS, for 1/--pace of the time the model would take, and then gives the rows the model gave for
   the same text. In each copy so many names are new as Heaps' law lets new ones appear. All else is
   the product: readers, plan, shards of the default size, Prefect, pool, staging, loading, linking.
3. The large run is given again over unchanged sources.
4. A few shards go through the stand-in at the model's own pace, for the waits between shards.

From these: orchestration's share, the main process's memory at both sizes, rates of planning,
loading and linking, and a plan in hours, machines and disk. At --pace P the writer has P times the
usual load; the plan takes its CPU seconds, not the wall time of these runs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scaling.corpus import Base, read_base, write_copies
from scaling.measure import HERE, Measured, measure
from scaling.overhead import mean_gap, overhead
from scaling.plan import CPU_SHARD, Corpus, plan, rates
from scaling.report import (
    print_again,
    print_memory,
    print_overhead,
    print_plan,
    print_rates,
    print_sample,
)
from scaling.sample import Sample, corpus_bytes, read_sample
from scaling.standin import Replay
from scaling.tables import fingerprints

QUICK_DOCUMENTS, QUICK_BASE, QUICK_PACE = 4_000, 15, 500.0
TRUE_SHARDS_A_WORKER = 3
PUBMED_CITATIONS = 36_000_000
HOSPITAL_NOTES = 100_000_000


@dataclass(frozen=True)
class Bench:
    """Where the benchmark works and with what."""

    folder: Path
    base: Base
    sample: Sample
    ontology: str
    workers: int

    def run(self, sources: Path, name: str, pace: float, *, again: bool = False) -> Measured:
        """charthouse over a folder with the stand-in, so many times as fast as the model."""
        folder = self.folder / (f"{name}-again" if again else name)
        replay = Replay(
            folder=str(self.folder / "found"),
            citations=len(self.base.citations),
            notes=len(self.base.notes),
            seconds=self.sample.seconds_a_character / pace,
            heaps=self.sample.heaps,
            log=str(folder / "log"),
        )
        warehouse = self.folder / f"{name}.duckdb"
        return measure(folder, command(self, sources, warehouse), warehouse, replay)


def command(bench: Bench, sources: Path, warehouse: Path) -> list[str]:
    return run_command(sources, warehouse, bench.ontology, bench.workers)


def run_command(sources: Path, warehouse: Path, ontology: str, workers: int) -> list[str]:
    return [
        *("run", str(sources), "--warehouse", str(warehouse), "--json"),
        *("--ontology", ontology, "--workers", str(workers)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("CHARTHOUSE_DATA"),
        help="folder that holds corpora/, notes/, citations/ (default: CHARTHOUSE_DATA)",
    )
    parser.add_argument("--documents", type=int, help="of the large run (default: 1,000,000)")
    parser.add_argument("--pace", type=float, help="stand-in's, model = 1 (default: 1,000)")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--gpu-characters-per-second",
        type=float,
        help="of one GPU, for the plan: 20 million characters over the seconds of such a shard",
    )
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument("--quick", action="store_true", help="minutes instead of the whole")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("--data is needed, or CHARTHOUSE_DATA")
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="charthouse-scale-") as folder:
        benchmark(arguments, Path(folder))


def benchmark(arguments: argparse.Namespace, folder: Path) -> None:
    quick: bool = arguments.quick
    documents = arguments.documents or (QUICK_DOCUMENTS if quick else 1_000_000)
    pace = arguments.pace or (QUICK_PACE if quick else 1_000.0)
    workers: int = arguments.workers
    ontology = "sample" if quick else build_mesh(arguments.data, folder / "mesh")

    say("1. the corpora once, with the bundled model")
    base = read_base(arguments.data, QUICK_BASE if quick else None)
    write_copies(base, folder / "base", base.documents)
    warehouse = folder / "base.duckdb"
    sample_run = measure(
        folder / "base-run",
        run_command(folder / "base", warehouse, ontology, workers),
        warehouse,
    )
    sample = read_sample(warehouse, folder / "found")
    sample_bytes = corpus_bytes(warehouse, folder)
    print_sample(sample, sample_run, sample_bytes, workers)

    bench = Bench(folder, base, sample, ontology, workers)
    say(f"2. {documents // 10:,} and {documents:,} documents; NER IS A STAND-IN THAT SLEEPS")
    print(f"   it sleeps 1/{pace:g} of the model's time; its rows are those of the model")
    runs = []
    for size in (documents // 10, documents):
        source_bytes = write_copies(base, folder / f"sources-{size}", size)
        runs.append(bench.run(folder / f"sources-{size}", f"run-{size}", pace))
        print(f"   {size:,} documents in files of {source_bytes / 1e6:,.0f} MB: done")
    small, large = runs
    print_memory(small, large)
    print_rates(large, ontology)

    say(f"3. {documents:,} documents again, nothing changed")
    before = fingerprints(folder / f"run-{documents}.duckdb")
    again = bench.run(folder / f"sources-{documents}", f"run-{documents}", pace, again=True)
    print_again(again, before, fingerprints(folder / f"run-{documents}.duckdb"))

    say("4. orchestration; NER IS A STAND-IN THAT SLEEPS")
    shard_seconds = CPU_SHARD * (sample.seconds_a_character + sample.write / sample.characters)
    at_pace = overhead(large, shard_seconds)
    true = None
    if not quick:
        a_shard = base.documents * CPU_SHARD / sample.characters
        size = round(a_shard * workers * TRUE_SHARDS_A_WORKER * 1.2)
        write_copies(base, folder / "sources-true", size)
        true = bench.run(folder / "sources-true", "run-true", 1.0)
    print_overhead(at_pace, large, mean_gap(true) if true else None, true)

    say("5. plans from these rates")
    measured = rates(sample, sample_run, sample_bytes, small, large, at_pace.cpu)
    citations = sample.kinds["abstract"].characters
    notes = sample.kinds["note"].characters
    for corpus in (
        Corpus("all of PubMed", PUBMED_CITATIONS, citations),
        Corpus("a hospital's notes", HOSPITAL_NOTES, notes),
    ):
        print_plan(plan(corpus, measured, arguments.gpu_characters_per_second))


def build_mesh(data: Path, store: Path) -> str:
    files = [data / "ontology" / "mesh" / f"{name}.xml.gz" for name in ("desc", "supp")]
    given = [part for file in files for part in ("--mesh", str(file))]
    subprocess.run(
        [sys.executable, "-m", "flows.cli", "ontology", "build", *given, "--out", str(store)],
        check=True,
        env=os.environ | {"PYTHONPATH": str(HERE.parent)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return str(store)


def say(line: str) -> None:
    print(f"\n{line}", flush=True)


if __name__ == "__main__":
    main()
