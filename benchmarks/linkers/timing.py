"""CPU time of names that are in the store and of names that are not, ours beside the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from linkers.baseline import Baseline
from linkers.ours import STAGES, without_steps
from linkers.peers import Answer
from linkers.speed import MISSES, Timed, cpu_seconds, exact_share, link
from linkers.tables import print_table, say
from ontologies.store import ConceptStore

Seconds = Mapping[str, float]
"""CPU seconds a name, by list."""


def report_speed(
    store: ConceptStore,
    timed: Sequence[Timed],
    with_baseline: bool,
    answers: Mapping[str, Answer],
    rounds: int,
) -> None:
    """Print the tables; peers were timed while they answered, on a sample of each list."""
    say("timing ours")
    ours = our_seconds(store, timed, rounds)
    others: dict[str, Seconds] = {}
    if with_baseline:
        say("timing the baseline")
        others["baseline"] = baseline_seconds(store, timed, rounds)
    for peer, answer in answers.items():
        if all(its.key in answer.seconds for its in timed):
            others[peer] = {its.key: answer.seconds[its.key] / len(its.sample) for its in timed}
    print_table(
        "Speed on one core, from median CPU seconds (in brackets: times as long as ours)",
        ["", "names", "exact", "ours", *others],
        [
            [
                its.key,
                f"{len(its.names):,}",
                f"{exact_share(store, its.names, its.label):.0%}",
                _rate(its, ours[its.key]),
                *(
                    f"{_rate(its, seconds[its.key])} ({seconds[its.key] / ours[its.key]:.1f})"
                    for seconds in others.values()
                ),
            ]
            for its in timed
        ],
    )
    print("exact: share that an exact step of ours finds; the others are timed on a sample")
    print("aims: 10,000 names/s for exact hits, under 0.5 ms for a miss")
    rows = [("all steps", ours)]
    for what, dropped in STAGES.items():
        with without_steps(dropped):
            rows.append((f"without {what}", our_seconds(store, timed, rounds)))
    print_table(
        "Speed of ours without some of its steps",
        ["", *(its.key for its in timed)],
        [[name, *(_rate(its, seconds[its.key]) for its in timed)] for name, seconds in rows],
    )


def our_seconds(store: ConceptStore, timed: Sequence[Timed], rounds: int) -> Seconds:
    return {
        its.key: cpu_seconds(partial(link, store, its.names, its.label), rounds) / len(its.names)
        for its in timed
    }


def baseline_seconds(store: ConceptStore, timed: Sequence[Timed], rounds: int) -> Seconds:
    baseline = Baseline(store)
    return {
        its.key: cpu_seconds(partial(baseline.find, its.sample, its.label), rounds)
        / len(its.sample)
        for its in timed
    }


def _rate(its: Timed, seconds: float) -> str:
    return f"{seconds * 1000:.3f} ms" if its.what == MISSES else f"{1 / seconds:,.0f} names/s"
