"""charthouse's linker beside a baseline, scispaCy's candidate generator and simstring.

python benchmarks/linking.py --data FOLDER [--names-from-train] [--work FOLDER]
    [--ontology STORE] [--peers scispacy,simstring,baseline] [--limit N] [--rounds N]
    [--scispacy-names N] [--scispacy-exact] [--simstring-python PYTHON]

FOLDER holds ``ontology/mesh`` and ``corpora``. In one run: what building the full store takes;
accuracy@1 on the gold mentions of the dev files whose concept is in the store, of our linker, of
our linker without each of its stages, and of the others; then CPU seconds for names that are in
the store but for their writing, and for names that are not. One thread each, but for the making of
scispaCy's index, which takes all cores for many minutes; with --work it is kept for the next run.
--scispacy-names builds it of fewer names, for a first look at its speed; --scispacy-exact tells the
accuracy of a search without its approximation, at once.
With --names-from-train everything but scispaCy is also judged over a store with the names of the
train files. A peer that is not installed is left out, with a word on how to install it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from linkers.judging import judge
from linkers.mentions import DEFINED, WRITTEN, Case, read_cases
from linkers.peers import BASELINE, PEERS, SCISPACY, SIMSTRING, Answer, ask, names_of, require
from linkers.speed import Timed, names_to_time
from linkers.stores import DEV, Built, built_store, gold_files
from linkers.tables import print_table, say
from linkers.timing import report_speed

from ontologies.store import ConceptStore, open_store

EXACT = "scispaCy's vectors, searched exactly"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="holds ontology/ and corpora/")
    parser.add_argument("--ontology", type=Path, help="a store to judge instead of building one")
    parser.add_argument("--names-from-train", action="store_true")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--limit", type=int, help="the first so many documents of each dev file")
    parser.add_argument("--work", type=Path, help="keeps stores and indexes for the next run")
    parser.add_argument("--rounds", type=int, default=3, help="of timing; medians are told")
    parser.add_argument(
        "--scispacy-names",
        type=int,
        metavar="N",
        help="index the names of N concepts only: faster to build, and easier than the whole",
    )
    parser.add_argument(
        "--scispacy-exact",
        action="store_true",
        help="also search scispaCy's vectors exactly: its accuracy, without its long-built graph",
    )
    parser.add_argument("--simstring-python", default=sys.executable, metavar="PYTHON")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    peers = require(arguments.peers.split(","), arguments.simstring_python)
    with nullcontext(arguments.work) if arguments.work else tempfile.TemporaryDirectory() as work:
        run(arguments, peers, Path(work))


def run(arguments: argparse.Namespace, peers: Sequence[str], work: Path) -> None:
    stores = stores_to_judge(arguments, work)
    say("reading gold mentions")
    cases = read_cases(gold_files(arguments.data, DEV), list(stores.values()), arguments.limit)
    (plain, store), *others = stores.items()
    timed = names_to_time(store)
    answers = ask_peers(arguments, peers, work / "release", store, cases[0], timed)
    judge(plain, store, cases[0], BASELINE in peers, answers, arguments.rounds)
    for (name, another), its_cases in zip(others, cases[1:], strict=True):
        only = [peer for peer in peers if peer == SIMSTRING]
        again = ask_peers(arguments, only, work / "with-train", another, its_cases, ())
        judge(name, another, its_cases, BASELINE in peers, again, arguments.rounds)
    report_speed(store, timed, BASELINE in peers, answers, arguments.rounds)


def ask_peers(
    arguments: argparse.Namespace,
    peers: Sequence[str],
    folder: Path,
    store: ConceptStore,
    cases: Sequence[Case],
    timed: Sequence[Timed],
) -> dict[str, Answer]:
    """What each peer finds for the names of the mentions and for those to time.

    Lists are named by how mentions are named, and by what is timed.
    """
    lists = {way: sorted({case.names[way] for case in cases}) for way in (WRITTEN, DEFINED)}
    lists |= {names.key: list(names.sample) for names in timed}
    answers = {}
    if SCISPACY in peers:
        limit = arguments.scispacy_names
        name = f"scispaCy, names of {limit:,} concepts only" if limit else "scispaCy"
        own = folder / (f"{SCISPACY}-{limit}" if limit else SCISPACY)
        say(f"asking {name}")
        names = names_of(store, limit)
        options = {"exact": False, "rounds": arguments.rounds}
        answers[name] = ask(SCISPACY, sys.executable, own, names, lists, **options)
    if SCISPACY in peers and arguments.scispacy_exact:
        options = {"exact": True, "rounds": 1}
        names, ways = names_of(store), {way: lists[way] for way in (WRITTEN, DEFINED)}
        say(f"asking {EXACT}")
        answers[EXACT] = ask(SCISPACY, sys.executable, folder, names, ways, **options)
    for measure in ("jaccard", "cosine") if SIMSTRING in peers else ():
        name = f"simstring, {measure}"
        say(f"asking {name}")
        own = folder / f"{SIMSTRING}-{measure}"
        answers[name] = ask(
            SIMSTRING,
            arguments.simstring_python,
            own,
            names_of(store),
            lists,
            measure=measure,
            rounds=arguments.rounds,
        )
    if answers:
        print_table(
            f"Building the peers' indexes: {store.release.names:,} names",
            ["", "wall s", "CPU s"],
            [[name, f"{its.wall:.1f}", f"{its.cpu:.1f}"] for name, its in answers.items()],
        )
    return answers


def stores_to_judge(arguments: argparse.Namespace, work: Path) -> dict[str, ConceptStore]:
    """By what they hold; prints what building them took."""
    if arguments.ontology:
        return {f"store {arguments.ontology.name}": open_store(arguments.ontology)}
    built: dict[str, Built] = {}
    for name, folder, from_train in (
        ("MeSH", "release", False),
        ("MeSH and names of the train files", "with-train", True),
    ):
        if arguments.names_from_train or not from_train:
            say(f"building: {name}")
            built[name] = built_store(arguments.data, work / folder, from_train=from_train)
    stores = {name: open_store(its.folder) for name, its in built.items()}
    print_table(
        "Building the store",
        ["", "concepts", "names", "wall s", "CPU s", "peak MB"],
        [
            [
                name,
                f"{stores[name].release.concepts:,}",
                f"{stores[name].release.names:,}",
                f"{its.wall:.1f}",
                f"{its.cpu:.1f}",
                f"{its.peak / 1e6:.0f}",
            ]
            for name, its in built.items()
        ],
    )
    return stores


if __name__ == "__main__":
    main()
