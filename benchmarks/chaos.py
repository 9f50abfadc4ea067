"""Faults at random, one a round, and whether the tables are those of an undisturbed run.

python benchmarks/chaos.py --seed 1 --count 100 [--model bundled] [--only ROUND] [--fault NAME]

Each round takes a small corpus that has changed since the warehouse was made (new, changed,
withdrawn and vanished documents, metadata alone, duplicates, rejects), begins the run over it,
strikes it with one fault, and gives the plain command again until it is done. Then all tables are
compared, row for row, with those of a run that nothing disturbed, but for run_id, shard_id, path,
seconds and columns ending in _at; and `charthouse check` must find the warehouse sound, also right
after the fault.

A round depends on seed and number alone, but for the moment that a busy machine makes of a fault:
--only 17 gives round 17 again. Exit code 1 if any round differs; its warehouse, the expected one
and its sources are kept in the folder that --keep names. Runs offline.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the tests' tools are used here

from tests.faults.corpus import write_corpus
from tests.faults.faults import FAULTS, PLANNED_ANEW, Hanging, Strike
from tests.faults.scene import DONE, QUICK, Scene, Tables, differences

ROUNDS_PER_CORPUS = 10
MOST_RERUNS = 3
MODELS = {"none": QUICK, "bundled": ()}


@dataclass(frozen=True)
class Quiet:
    """A corpus, the warehouse before the run, the tables after it, and its seconds."""

    folder: Path
    before: Scene
    tables: Tables
    seconds: float


@dataclass(frozen=True)
class Round:
    """What became of a round; ``wrong`` names tables that differ and checks that are breached."""

    number: int
    fault: str
    where: str
    reruns: int
    wrong: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20, help="rounds")
    parser.add_argument("--only", type=int, metavar="ROUND", help="this round alone")
    parser.add_argument("--fault", choices=sorted(FAULTS), help="this kind of fault alone")
    parser.add_argument("--model", choices=sorted(MODELS), default="none")
    parser.add_argument("--documents", type=int, default=24, help="notes, and citations, a corpus")
    parser.add_argument("--keep", type=Path, default=Path("chaos"), help="folder for evidence")
    arguments = parser.parse_args()

    from flows.prefect_server import prefect_api

    numbers = range(arguments.count) if arguments.only is None else [arguments.only]
    with tempfile.TemporaryDirectory() as scratch, prefect_api() as address:
        variables = {
            "PREFECT_API_URL": address,
            "CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "5000",
        }
        rounds = []
        for one in play(arguments, numbers, Path(scratch), variables):
            rounds.append(one)
            verdict = "equal" if not one.wrong else "DIFFERS: " + ", ".join(one.wrong)
            print(f"round {one.number}: {one.fault} ({one.where}): {verdict}", flush=True)
    report(rounds)
    sys.exit(any(one.wrong for one in rounds))


def play(
    arguments: argparse.Namespace,
    numbers: range | list[int],
    scratch: Path,
    variables: dict[str, str],
) -> Iterator[Round]:
    """Play rounds, those of one corpus after another."""
    quiet: dict[int, Quiet] = {}
    for number in numbers:
        group = number // ROUNDS_PER_CORPUS
        if group not in quiet:
            quiet = {group: undisturbed(arguments, group, scratch / str(group), variables)}
        yield play_round(arguments, number, quiet[group], scratch / f"round{number}")


def undisturbed(
    arguments: argparse.Namespace, group: int, folder: Path, variables: dict[str, str]
) -> Quiet:
    """A corpus, and what the run over its later state makes of it in peace."""
    chance = random.Random(f"{arguments.seed} {group}")
    write_corpus(folder / "first", folder / "second", chance, arguments.documents)
    first = Scene(
        home=folder,
        sources=folder / "first",
        warehouse=folder / "before.duckdb",
        options=MODELS[arguments.model],
        workers=chance.choice([1, 2]),
        variables=variables,
    )
    done = first.run()
    if done.returncode not in DONE:
        sys.exit(f"the first run fails undisturbed: {done.stderr}")
    before = replace(first, sources=folder / "second")
    after = before.on(folder / "expected.duckdb")
    began = time.monotonic()
    done = after.run()
    if done.returncode not in DONE or after.breaches():
        sys.exit(f"the run fails undisturbed: {after.breaches()} {done.stderr}")
    return Quiet(folder, before, after.tables(), time.monotonic() - began)


def play_round(arguments: argparse.Namespace, number: int, quiet: Quiet, folder: Path) -> Round:
    """One fault, and the command again until it is done."""
    folder.mkdir()
    chance = random.Random(f"{arguments.seed} round {number}")
    fault = arguments.fault or chance.choice(sorted(FAULTS))
    scene = quiet.before.on(folder / "w.duckdb")
    wrong: list[str] = []
    where, reruns, said = "", 0, ""
    try:
        where = FAULTS[fault](Strike(scene, quiet.seconds, chance))
    except (Hanging, TimeoutError) as error:
        wrong.append(str(error))
    wrong += [f"{name} after the fault" for name in scene.breaches()]
    code = None
    while code not in DONE and reruns < MOST_RERUNS:
        reruns += 1
        done = scene.run()
        code, said = done.returncode, said + done.stderr
    if code not in DONE:
        wrong.append(f"exit code {code}")
    uncompared = {"runs", "shards"} if fault in PLANNED_ANEW else set()
    wrong += differences(scene.tables(), quiet.tables, uncompared=uncompared)
    wrong += scene.breaches()
    if wrong:
        keep(arguments, number, quiet, scene, said)
    shutil.rmtree(folder)
    return Round(number, fault, where, reruns, tuple(wrong))


def keep(arguments: argparse.Namespace, number: int, quiet: Quiet, scene: Scene, said: str) -> None:
    """Keep what a round left, and what it should have left."""
    evidence = arguments.keep / f"seed{arguments.seed}-round{number}"
    shutil.rmtree(evidence, ignore_errors=True)
    shutil.copytree(scene.warehouse.parent, evidence)
    shutil.copytree(quiet.before.sources, evidence / "sources")
    shutil.copy(quiet.folder / "expected.duckdb", evidence)
    (evidence / "stderr.txt").write_text(said, encoding="utf-8")


def report(rounds: list[Round]) -> None:
    """A line for each kind of fault."""
    kinds: dict[str, list[Round]] = defaultdict(list)
    for one in rounds:
        kinds[one.fault].append(one)
    print(f"\n{'fault':<34} {'rounds':>6} {'equal':>6} {'reruns':>6}  struck while")
    for fault, played in sorted(kinds.items()):
        equal = sum(not one.wrong for one in played)
        places = Counter(one.where or "not at all" for one in played)
        where = ", ".join(f"{place} {count}" for place, count in sorted(places.items()))
        reruns = sum(one.reruns for one in played)
        print(f"{fault:<34} {len(played):>6} {equal:>6} {reruns:>6}  {where}")
    equal = sum(not one.wrong for one in rounds)
    print(f"{'all':<34} {len(rounds):>6} {equal:>6}")


if __name__ == "__main__":
    main()
