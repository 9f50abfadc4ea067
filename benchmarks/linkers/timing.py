"""CPU time of names that are in the store and of names that are not, ours beside the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from linkers.baseline import Baseline
from linkers.ours import STAGES, without_steps
from linkers.peers import Answer
from linkers.speed import HITS, MISSES, Timed, cpu_seconds, exact_share, link
from linkers.tables import print_table, say
from ontologies.store import ConceptStore


def report_speed(
    store: ConceptStore,
    timed: Sequence[Timed],
    with_baseline: bool,
    answers: Mapping[str, Answer],
    rounds: int,
) -> None:
    """Print the tables; peers were timed while they answered, on a sample of each list."""
    say("timing ours")
    ours = {its.key: _ours(store, its, rounds) for its in timed}
    rows = [["ours", *_cells(timed, ours, ours)]]
    if with_baseline:
        say("timing the baseline")
        baseline = Baseline(store)
        seconds = {
            its.key: _each(lambda its=its: baseline.find(its.sample, its.label), its.sample, rounds)
            for its in timed
        }
        rows.append(["baseline", *_cells(timed, seconds, ours)])
    for peer, answer in answers.items():
        seconds = {its.key: answer.seconds[its.key] / len(its.sample) for its in timed}
        rows.append([peer, *_cells(timed, seconds, ours)])
    print_table(
        "Speed on one core, from CPU seconds (x: times as long as ours)",
        ["", *(cell for its in timed for cell in (its.key, "x"))],
        rows,
    )
    for its in timed:
        print(f"{its.key}: {len(its.names):,} names, {len(its.sample):,} for the others", end="; ")
        print(f"{exact_share(store, its.names, its.label):.1%} found by an exact step of ours")
    print("aims: 10,000 names/s for exact hits, under 0.5 ms for a miss")
    print_table(
        "Speed of ours without some of its steps",
        ["", *(its.key for its in timed)],
        [["all steps", *(_rate(its, ours[its.key]) for its in timed)]]
        + [_without(store, timed, what, rounds) for what in STAGES],
    )


def _without(store: ConceptStore, timed: Sequence[Timed], what: str, rounds: int) -> list[str]:
    with without_steps(STAGES[what]):
        cells = [_rate(its, _ours(store, its, rounds)) for its in timed]
    return [f"without {what}", *cells]


def _ours(store: ConceptStore, its: Timed, rounds: int) -> float:
    return _each(lambda: link(store, its.names, its.label), its.names, rounds)


def _each(work: object, names: Sequence[str], rounds: int) -> float:
    """Median CPU seconds a name; what is made once is made before."""
    return cpu_seconds(work, rounds) / len(names)


def _cells(
    timed: Sequence[Timed], seconds: Mapping[str, float], ours: Mapping[str, float]
) -> list[str]:
    return [
        cell
        for its in timed
        for cell in (_rate(its, seconds[its.key]), f"{seconds[its.key] / ours[its.key]:.1f}")
    ]


def _rate(its: Timed, seconds: float) -> str:
    return f"{seconds * 1000:.3f} ms" if its.what == MISSES else f"{1 / seconds:,.0f} names/s"
