"""A concept store of the size of UMLS: built, opened, and 100,000 distinct names linked to it.

python benchmarks/umls_scale.py --folder /tmp/umls [--concepts 3300000 --names 9000000]
    [--queries 100000] [--baseline 400] [--workers 2] [--seed 0] [--keep]

The store is built from a made-up META folder (``benchmarks/meta_folder.py``) in a process of its
own, and opened and searched in another. Half of the queries are names of the store in another
spelling, half are names with letters changed, left out or put in, or a word left out; each under a
label that allows its concept, or under one that allows every concept. The baseline is one product
of the whole sparse matrices for a part of the same misses, with the same measure and the same
restriction; it tells how often pruning finds something else.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from meta_folder import write_meta
from scipy import sparse
from sparse_dot_topn import sp_matmul_topn

from ontologies.build import build_store
from ontologies.forms import forms_of
from ontologies.labels import LABEL_TYPES, allowed_types
from ontologies.linker import LinkSettings, link_names
from ontologies.nearest import nearest
from ontologies.ngrams import weigh_queries
from ontologies.normalise import normal_form
from ontologies.store import FORBIDDEN, ConceptStore, open_store

_LABELS = (*LABEL_TYPES, "Phenomenon")
_BATCH = 500
_MEGABYTE, _GIGABYTE = 2**20, 2**30


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="for release and store")
    parser.add_argument("--concepts", type=int, default=3_300_000)
    parser.add_argument("--names", type=int, default=9_000_000)
    parser.add_argument("--queries", type=int, default=100_000)
    parser.add_argument("--baseline", type=int, default=400, help="misses of the baseline")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="leave the folder, use what is there")
    parser.add_argument("--step", choices=["build", "link"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    store = arguments.folder / "store"
    if arguments.step == "build":
        build(arguments.folder / "META", store, arguments.workers)
    elif arguments.step == "link":
        link(store, arguments.queries, arguments.baseline, arguments.seed)
    else:
        if not (arguments.keep and store.exists()):
            meta = arguments.folder / "META"
            write_meta(meta, arguments.concepts, arguments.names, arguments.seed)
            run_step("build")
        run_step("link")
        if not arguments.keep:
            shutil.rmtree(arguments.folder)


def run_step(step: str) -> None:
    """Run a step in a process of its own and print the most memory that it and its workers had."""
    process = subprocess.Popen([sys.executable, __file__, *sys.argv[1:], "--step", step])
    most = 0
    while process.poll() is None:
        most = max(most, resident(process.pid))
        time.sleep(0.1)
    if process.returncode:
        sys.exit(process.returncode)
    print(f"{step}: {most / _GIGABYTE:.2f} GB resident at most, all processes together\n")


def resident(pid: int) -> int:
    """Bytes that a process and all below it have resident, mapped files included."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        below = [int(child) for t in tasks for child in (t / "children").read_text().split()]
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(map(resident, below))


def build(meta: Path, store: Path, workers: int) -> None:
    began = time.perf_counter()

    def say(line: str) -> None:
        print(f"  {time.perf_counter() - began:7.1f} s  {line}", flush=True)

    release = build_store([("umls", meta)], store, progress=say, workers=workers)
    wall = time.perf_counter() - began
    size = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"built {release.concepts:,} concepts with {release.names:,} names in {wall:.0f} s,"
        f" {time.process_time() + children.ru_utime + children.ru_stime:.0f} CPU s with {workers}"
        f" workers; {size / _GIGABYTE:.2f} GB on disk"
    )


def link(path: Path, count: int, sample: int, seed: int) -> None:
    before, began = resident(os.getpid()), time.perf_counter()
    store = open_store(path)
    seconds, more = time.perf_counter() - began, resident(os.getpid()) - before
    print(f"opened in {seconds:.3f} s, {more / _MEGABYTE:.0f} MB more resident")
    rng = np.random.default_rng(seed + 1)
    hits, misses = queries(store, count, rng)
    first = time.perf_counter()
    for label in _LABELS:
        store.search(allowed_types(label, LABEL_TYPES))
    print(f"restrictions of {len(_LABELS)} labels in {time.perf_counter() - first:.1f} s")
    settings = LinkSettings()
    measure("hits: respelt", store, hits, settings, exact=True)
    measure("misses: changed", store, misses, settings, exact=False)
    started = time.process_time()
    forms_of(misses["lookup_text"].to_list())
    print(
        f"of that, all forms of a name (normal, exact levels, folded text):"
        f" {(time.process_time() - started) / misses.height * 1e3:.3f} ms"
    )
    print(f"{resident(os.getpid()) / _GIGABYTE:.2f} GB resident, mapped files included")
    if sample:
        compare(store, misses, sample, settings)


def measure(
    title: str, store: ConceptStore, asked: pl.DataFrame, settings: LinkSettings, *, exact: bool
) -> None:
    """CPU time of a name that matches exactly, or of one that does not, label by label."""
    print(f"\n{title} names, by label: CPU ms a hit or miss, median over batches of {_BATCH}")
    for label in _LABELS:
        names = asked.filter(label=label)
        rates, matched = [], 0
        for low in range(0, names.height, _BATCH):
            batch = names.slice(low, _BATCH)
            start = time.process_time()
            links = link_names(store, batch, settings)
            spent = time.process_time() - start
            hits = links.filter(rank=1, method="exact").height
            matched += hits
            # What a few exact matches among changed names cost is put down to the misses.
            rates.append(spent / max(hits if exact else batch.height - hits, 1) * 1e3)
        if rates:
            rate = statistics.median(rates)
            print(
                f"  {label:<12}{names.height:8,} names  {rate:7.3f} ms  {1e3 / rate:9,.0f} names/s"
                f"  {matched / names.height:6.1%} exact",
                flush=True,
            )


def queries(
    store: ConceptStore, count: int, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Distinct names in another spelling, and distinct names that were changed, under labels."""
    parts: dict[str, list[pl.DataFrame]] = {"hits": [], "misses": []}
    share = count // (2 * len(_LABELS))
    for label in _LABELS:
        permit = store.permits(allowed_types(label, LABEL_TYPES))
        names = np.flatnonzero(permit[np.asarray(store.names.concept)] != FORBIDDEN)
        # More than are wanted, since some come out alike.
        drawn = rng.choice(names, size=min(3 * share, len(names)), replace=False)
        texts = store.name_texts(drawn)
        half = len(texts) // 2
        for part, changed in (
            ("hits", [respelt(text, rng) for text in texts[:half]]),
            ("misses", [misspelt(text, rng) for text in texts[half:]]),
        ):
            frame = pl.DataFrame({"lookup_text": changed, "label": [label] * len(changed)})
            frame = frame.unique("lookup_text", maintain_order=True).head(share)
            parts[part].append(frame)
    return pl.concat(parts["hits"]), pl.concat(parts["misses"])


def respelt(name: str, rng: np.random.Generator) -> str:
    """Another spelling that has the same normal form."""
    kind = rng.integers(4)
    return [name.upper(), name.replace(" ", "-"), f"({name})", name.lower()][kind]


def misspelt(name: str, rng: np.random.Generator) -> str:
    """One or two letters changed, left out or put in, or a word left out."""
    words = name.split(" ")
    if len(words) > 2 and rng.random() < 0.3:
        del words[rng.integers(len(words))]
        return " ".join(words)
    for _ in range(rng.integers(1, 3)):
        at, letter = rng.integers(max(len(name), 1)), "etaoinshrdlu"[rng.integers(12)]
        cut = rng.integers(3)
        name = name[:at] + ("" if cut == 0 else letter) + name[at + (cut != 1) :]
    return name


def compare(store: ConceptStore, misses: pl.DataFrame, sample: int, settings: LinkSettings) -> None:
    """The baseline beside the search, label by label."""
    print("\nbaseline: the product of whole sparse matrices, allowed forms only; CPU ms a name")
    ours_all, theirs_all, same, alike, total = [], [], 0, 0.0, 0
    for label in _LABELS:
        names = misses.filter(label=label).head(sample // len(_LABELS))
        forms = [normal_form(text) for text in names["lookup_text"]]
        types = allowed_types(label, LABEL_TYPES)
        search = store.search(types)
        start = time.process_time()
        query, _, score = nearest(store.grams, search, forms, settings.neighbours, settings.floor)
        ours = time.process_time() - start
        seconds, expected = product(store, types, forms, settings)
        for row in range(len(forms)):
            theirs = expected[row]
            if len(theirs):
                found = score[query == row]
                total += 1
                same += bool(len(found)) and found[0] >= theirs[0] - 1e-4
                alike += float((found >= theirs[-1] - 1e-4).sum() / len(theirs))
        ours_all.append(ours)
        theirs_all.append(seconds)
        each = 1e3 / max(len(forms), 1)
        print(
            f"  {label:<12}{ours * each:8.2f} ms against {seconds * each:8.2f} ms:"
            f" {seconds / ours:5.1f} times as fast"
        )
    print(
        f"ratio {sum(theirs_all) / sum(ours_all):.1f}; the best form of the baseline is found for"
        f" {same / max(total, 1):.2%} of {total} names, of its {settings.neighbours} best"
        f" {alike / max(total, 1):.2%}"
    )
    print(json.dumps({"ratio": sum(theirs_all) / sum(ours_all), "top1": same / max(total, 1)}))


def product(
    store: ConceptStore, types: tuple[str, ...], forms: list[str], settings: LinkSettings
) -> tuple[float, list[npt.NDArray[np.float32]]]:
    """Seconds of the product alone, and the similarities found for each form, best first."""
    grams = store.grams
    may = store.permits(types)[store.names.concept[store.forms.name]] != FORBIDDEN
    allowed = np.flatnonzero(np.logical_or.reduceat(may, store.forms.name_start[:-1]))
    shape = (len(grams.start) - 1, len(grams.vocabulary))
    rows = sparse.csr_matrix((grams.value, grams.gram, grams.start.astype(np.int32)), shape=shape)
    turned = rows[allowed].T.tocsr()
    del rows
    queries = weigh_queries(grams, forms)
    start = time.process_time()
    found = sp_matmul_topn(
        queries, turned, top_n=settings.neighbours, threshold=settings.floor, sort=True, n_threads=1
    )
    seconds = time.process_time() - start
    return seconds, np.split(found.data, found.indptr[1:-1])


if __name__ == "__main__":
    main()
