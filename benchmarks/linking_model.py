"""A language model that links, beside the linker without one: it weighs names, or writes them.

python benchmarks/linking_model.py --data FOLDER [--work FOLDER] [--model FOLDER] [--seconds N]
    [--form gpt2|biogpt] [--names-from-train] [--limit N] [--transformers N]

FOLDER holds ``ontology/mesh`` and ``corpora``. In one run: the full store is built; a small model
of random weights is taught for so many CPU seconds on the store's own names ("NAME means PREFERRED
NAME"), unless --model names one; then accuracy@1 and recall@5 on the gold mentions of the dev files
whose concept is in the store: of the linker without a model, and of each use of the model. Names
are linked alone, without their documents, but for their abbreviations. Last, how many of the names
that no exact way finds it does in a CPU second; no other names come to the model. --transformers
sets transformers' own beam search with ``prefix_allowed_tokens_fn`` beside ours, on so many names.
One thread.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
sys.path.append(str(Path(__file__).resolve().parents[1]))  # the tests' small models are used here

import polars as pl
import torch
from linkers.beams import compare_beams
from linkers.mentions import READ, Case, Group, distinct_names, read_cases
from linkers.ours import rank_cases
from linkers.stores import DEV, built_store, gold_files
from linkers.tables import columns, print_table, say
from linkers.teach_writer import BIOGPT, GPT2, Lesson, taught

from ontologies.labels import LABEL_TYPES, allowed_types
from ontologies.linker import NGRAM, LinkSettings, link_names
from ontologies.store import ConceptStore, open_store

LABELS = ("Chemical", "Disease")
WEIGHTS = (0.05, 0.1, 0.2)
CANDIDATES = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="holds ontology/ and corpora/")
    parser.add_argument("--work", type=Path, help="keeps stores and models for the next run")
    parser.add_argument("--model", help="a causal language model, instead of teaching one")
    parser.add_argument("--seconds", type=float, default=600.0, help="CPU seconds of teaching")
    parser.add_argument("--form", choices=(GPT2, BIOGPT), default=GPT2)
    parser.add_argument("--names-from-train", action="store_true")
    parser.add_argument("--limit", type=int, help="the first so many documents of each dev file")
    parser.add_argument("--transformers", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    with nullcontext(arguments.work) if arguments.work else tempfile.TemporaryDirectory() as work:
        run(arguments, Path(work))


def run(arguments: argparse.Namespace, work: Path) -> None:
    name = "with-train" if arguments.names_from_train else "release"
    folder = work / name
    say("building the store")
    built_store(arguments.data, folder, from_train=arguments.names_from_train)
    store = open_store(folder / "store")
    model = arguments.model or str(own_model(store, work / "models", name, arguments))
    say("reading gold mentions")
    (cases,) = read_cases(gold_files(arguments.data, DEV), [store], arguments.limit)
    cases = [case for case in cases if case.in_store]
    report_accuracy(store, cases, model)
    names = unknown_names(store, cases)
    if arguments.transformers:
        compare_beams(store, names, model, arguments.transformers)


def own_model(store: ConceptStore, folder: Path, name: str, arguments: argparse.Namespace) -> Path:
    """The model that is taught, or was taught in the run before."""
    lesson = Lesson(form=arguments.form, seconds=arguments.seconds)
    types = sorted({code for label in LABELS for code in allowed_types(label, LABEL_TYPES)})
    say(f"teaching a model of {lesson.form}'s form for {lesson.seconds:.0f} CPU seconds")
    return taught(folder / f"{name}-{lesson.form}-{lesson.seconds:.0f}", store, types, lesson)


def ways(model: str) -> dict[str, LinkSettings]:
    """The linker without a model, and what is set beside it."""
    plain = LinkSettings(context=False)

    def using(use: str, **more: float) -> LinkSettings:
        return plain.model_copy(update={"writer": model, "writer_use": use, **more})

    return {
        "without a model": plain,
        **{f"rerank, weight {its}": using("rerank", writer_weight=its) for its in WEIGHTS},
        "both": using("both"),
        "generate": using("generate"),
        "generate, no floor": using("generate", floor=0.0),
        "fallback": using("fallback"),
    }


def report_accuracy(store: ConceptStore, cases: Sequence[Case], model: str) -> None:
    groups = sorted({case.group for case in cases})
    unknown = set(unknown_names(store, cases))
    hard = [case for case in cases if (case.names[READ], case.label) in unknown]
    rows, hard_rows, seconds = [], [], {}
    for name, settings in ways(model).items():
        say(name)
        rank_cases(store, hard[:1], READ, settings)  # loads the model and the trie
        clock = time.process_time()
        ranked = rank_cases(store, cases, READ, settings)
        seconds[name] = time.process_time() - clock
        rows.append([name, *cells(cases, ranked, groups)])
        by_case = dict(zip(map(id, cases), ranked, strict=True))
        hard_rows.append([name, *cells(hard, [by_case[id(case)] for case in hard], groups)])
    heading = ["", *columns(groups)]
    print_table(
        "Accuracy@1 / recall@5 in percent of mentions whose concept is in the store",
        heading,
        [*rows, counts(cases, groups)],
    )
    print_table(
        "The same, of mentions whose name no exact way finds",
        heading,
        [*hard_rows, counts(hard, groups)],
    )

    plain, *others = seconds
    print_table(
        f"Names a CPU second, of {len(unknown):,} that no exact way finds, beyond what the linker"
        " takes without a model",
        ["", ""],
        [
            [name, f"{len(unknown) / max(seconds[name] - seconds[plain], 1e-6):,.1f}"]
            for name in others
        ],
    )


def cells(
    cases: Sequence[Case], ranked: Sequence[Sequence[str]], groups: Sequence[Group]
) -> list[str]:
    first, any_of = defaultdict(list), defaultdict(list)
    for case, its in zip(cases, ranked, strict=True):
        first[case.group].append(bool(its) and its[0] in case.wanted)
        any_of[case.group].append(not case.wanted.isdisjoint(its[:CANDIDATES]))
    return [
        f"{100 * sum(first[g]) / len(first[g]):.1f} / {100 * sum(any_of[g]) / len(any_of[g]):.1f}"
        for g in groups
    ]


def counts(cases: Sequence[Case], groups: Sequence[Group]) -> list[str]:
    return ["mentions", *(f"{sum(case.group == group for case in cases):,}" for group in groups)]


def unknown_names(store: ConceptStore, cases: Sequence[Case]) -> list[tuple[str, str]]:
    """Distinct names and labels that no exact way finds."""
    names = pl.DataFrame(distinct_names(cases, READ), schema=["lookup_text", "label"], orient="row")
    first = link_names(store, names, LinkSettings()).filter(pl.col("rank") == 1)
    missed = first.filter(pl.col("method").fill_null(NGRAM) == NGRAM)
    return list(missed.select("lookup_text", "label").iter_rows())


if __name__ == "__main__":
    random.seed(0)
    main()
