"""End-to-end throughput beside the loop a user would write by hand, on the same documents.

python benchmarks/throughput.py --data FOLDER [--repeat 3] [--workers 2]

Ours is the whole command: imports, Prefect server, planning, preprocessing, NER, staging,
loading, linking. The baseline is spaCy with scispaCy's tokenizer, rule sentencizer and
abbreviation detector, then a transformers pipeline one text at a time with the same model, on all
cores; it writes its mentions to a JSON lines file and neither links nor resumes. Both are timed as
whole processes, in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

CORPORA = ("bc5cdr_train", "bc5cdr_dev", "ncbi_train", "ncbi_dev")


@dataclass(frozen=True)
class Timed:
    """Wall and CPU seconds of a process and its children."""

    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds corpora/")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--baseline-only", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    files = [arguments.data / "corpora" / f"{name}.pubtator.gz" for name in CORPORA]
    if arguments.baseline_only:
        baseline(files, arguments.baseline_only)
        return
    ours: list[Timed] = []
    theirs: list[Timed] = []
    for turn in range(arguments.repeat):
        with tempfile.TemporaryDirectory() as folder:
            warehouse = Path(folder) / "w.duckdb"
            ours.append(timed([*charthouse(files, warehouse, arguments.workers)]))
            documents, stages = read_stages(warehouse, arguments.workers)
            out = Path(folder) / "baseline.jsonl"
            again = [sys.executable, __file__, "--data", str(arguments.data)]
            theirs.append(timed([*again, "--baseline-only", str(out)]))
            loading = json.loads(out.with_suffix(".json").read_text())["loading"]
        print(
            f"turn {turn + 1}: charthouse {documents / ours[-1].wall:.1f} documents/s, "
            f"by hand {documents / theirs[-1].wall:.1f} documents/s",
            flush=True,
        )
    report(documents, ours, theirs, stages, loading, arguments.workers)


def charthouse(files: list[Path], warehouse: Path, workers: int) -> list[str]:
    return [
        *(sys.executable, "-m", "flows.cli", "run"),
        *map(str, files),
        *("--warehouse", str(warehouse), "--workers", str(workers), "--json"),
    ]


def timed(command: list[str]) -> Timed:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    clock = time.perf_counter()
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - clock
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timed(wall, used)


def read_stages(warehouse: Path, workers: int) -> tuple[int, dict[str, float]]:
    """Documents done, and wall seconds by stage, worker stages divided by the workers."""
    from flows.warehouse.connection import read_warehouse

    with read_warehouse(warehouse) as connection:
        ((documents,),) = connection.execute("SELECT count(*) FROM documents").fetchall()
        ((plan, annotate, link),) = connection.execute(
            "SELECT seconds.plan, seconds.annotate, seconds.link FROM runs"
        ).fetchall()
        ((preprocess, ner, write, load),) = connection.execute(
            "SELECT sum(seconds.preprocess), sum(seconds.ner), sum(seconds.write), "
            "sum(seconds.load) FROM shards"
        ).fetchall()
    return documents, {
        "read and plan": plan,
        "preprocess": preprocess / workers,
        "NER": ner / workers,
        "stage Parquet": write / workers,
        "load": load,
        "link": link,
        "annotate in all": annotate,
    }


def report(
    documents: int,
    ours: list[Timed],
    theirs: list[Timed],
    stages: dict[str, float],
    loading: float,
    workers: int,
) -> None:
    wall = statistics.median(run.wall for run in ours)
    hand = statistics.median(run.wall for run in theirs)
    ratio = statistics.median(b.wall / a.wall for a, b in zip(ours, theirs, strict=True))
    cpu_ratio = statistics.median(b.cpu / a.cpu for a, b in zip(ours, theirs, strict=True))
    print(f"\n{documents:,} documents, {workers} workers, {len(ours)} turns, medians")
    print(f"charthouse  {wall:7.1f} s  {documents / wall:6.1f} documents/s")
    print(f"by hand     {hand:7.1f} s  {documents / hand:6.1f} documents/s")
    print(f"ratio       {ratio:7.2f} in wall time, {cpu_ratio:.2f} in CPU time")
    work = sum(seconds for name, seconds in stages.items() if name != "annotate in all")
    steady = (theirs[-1].wall - loading) / work
    print(
        f"            {steady:7.2f} without either's start-up (last turn): the large-corpus limit"
    )
    print("\nshares of our last run's wall time")
    last = ours[-1].wall
    parts = {name: seconds for name, seconds in stages.items() if name != "annotate in all"}
    parts["start-up, orchestration"] = last - sum(parts.values())
    for name, seconds in parts.items():
        print(f"  {name:<24}{seconds:7.1f} s  {seconds / last:6.1%}")
    busy = parts["preprocess"] + parts["NER"] + parts["stage Parquet"]
    idle = stages["annotate in all"] - busy
    print(
        f"\n{idle:.1f} of the annotate stage's {stages['annotate in all']:.1f} s are not spent in "
        "workers' stages: starting them, loading models, tasks, waiting for the last shard"
    )
    ratios = {"ratio_wall": ratio, "ratio_cpu": cpu_ratio, "ratio_steady": steady}
    print(json.dumps({"documents": documents, **ratios}))


def baseline(files: list[Path], out: Path) -> None:
    """What a user would write by hand."""
    began = time.perf_counter()
    import spacy
    import torch
    from scispacy.abbreviation import AbbreviationDetector  # noqa: F401
    from scispacy.custom_tokenizer import combined_rule_tokenizer
    from transformers import pipeline

    from flows.readers.pubtator import read_gold
    from nlp.ner.source import BUNDLED_FOLDER

    nlp = spacy.blank("en")
    nlp.tokenizer = combined_rule_tokenizer(nlp)
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("abbreviation_detector")
    ner = pipeline(
        "token-classification",
        model=str(BUNDLED_FOLDER),
        aggregation_strategy="simple",
        dtype=torch.float32,
        device="cpu",
    )
    out.with_suffix(".json").write_text(json.dumps({"loading": time.perf_counter() - began}))
    with out.open("w", encoding="utf-8") as file:
        for path in files:
            for document in read_gold(path):
                doc = nlp(document.text)
                row = {
                    "id": document.native_id,
                    "sentences": [[s.start_char, s.end_char] for s in doc.sents],
                    "abbreviations": [str(span) for span in doc._.abbreviations],
                    "mentions": [
                        [m["start"], m["end"], m["entity_group"], float(m["score"])]
                        for m in ner(document.text)
                    ],
                }
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
