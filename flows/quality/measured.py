"""What a run found, read back from the tables, and the comparison of two runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.quality.divergence import jensen_shannon_distance, population_stability_index
from flows.quality.intervals import Interval, Share, difference_interval, wilson_interval
from flows.quality.measures import BELOW, CHANGES, DISTANCES, INDEXES, LIMITS
from flows.quality.schema import ALL, QUALITY, QUALITY_BRANCHES, QUALITY_HISTOGRAMS
from flows.warehouse.layout import Connection

Place = tuple[str, str]
"""Corpus and label."""

Counts = Mapping[Any, int]

EVERYTHING = 2**62
"""What a count rests on: it is never too small to be one."""


@dataclass(frozen=True)
class Measured:
    """What a run found: rows of ``quality`` by corpus and label, and the counts behind them."""

    run_id: str
    rows: Mapping[Place, Mapping[str, Any]]
    histograms: Mapping[tuple[str, str, str], Counts]
    """By measure, corpus and label: counts by bin."""
    branches: Mapping[Place, Counts]

    @property
    def corpora(self) -> list[str]:
        """Its corpora, all together first."""
        return sorted({corpus for corpus, _ in self.rows})

    def labels(self, corpus: str) -> Counts:
        """Mentions by label."""
        return {
            label: row["mentions"]
            for (of, label), row in self.rows.items()
            if of == corpus and label != ALL
        }


@dataclass(frozen=True)
class Comparison:
    """A measure of one run against another, or against a limit.

    ``counted`` is what it rests on: mentions, documents or records, of the side that has fewer.
    ``interval`` is where the value of many would be, of shares and their changes.
    """

    corpus: str
    label: str
    measure: str
    before: float | None
    after: float | None
    value: float | None
    counted: int
    interval: Interval | None = None


def read_measured(connection: Connection, run_id: str, scope: str) -> Measured:
    """What was measured of a run."""
    where = [run_id, scope]
    result = connection.execute(
        f"FROM {QUALITY.name} WHERE run_id = ? AND scope = ? ORDER BY corpus, label", where
    )
    names = [column[0] for column in result.description or []]
    found = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    histograms: dict[tuple[str, str, str], dict[Any, int]] = defaultdict(dict)
    for measure, corpus, label, number, count in connection.execute(
        f'SELECT measure, corpus, label, bin, "count" FROM {QUALITY_HISTOGRAMS.name} '
        "WHERE run_id = ? AND scope = ?",
        where,
    ).fetchall():
        histograms[measure, corpus, label][number] = count
    branches: dict[Place, dict[Any, int]] = defaultdict(dict)
    for corpus, label, branch, mentions in connection.execute(
        f"SELECT corpus, label, branch, mentions FROM {QUALITY_BRANCHES.name} "
        "WHERE run_id = ? AND scope = ?",
        where,
    ).fetchall():
        branches[corpus, label][branch] = mentions
    rows = {(row["corpus"], row["label"]): row for row in found}
    return Measured(run_id, rows, dict(histograms), dict(branches))


def compare(before: Measured, after: Measured, corpus: str) -> list[Comparison]:
    """All that tells how far a corpus of one run is from the same of another.

    Nothing where either has no document of it.
    """
    whole = [side.rows.get((corpus, ALL)) for side in (before, after)]
    if not all(row and row["documents"] for row in whole):
        return []
    labels = sorted({*before.labels(corpus), *after.labels(corpus)})
    return [found for label in (ALL, *labels) for found in _compare(before, after, corpus, label)]


def limits(measured: Measured) -> Iterator[Comparison]:
    """Each measure itself, under the names of its thresholds."""
    for (corpus, label), row in measured.rows.items():
        for name in LIMITS:
            column = name[: -len(BELOW)]
            if (column, label) in {("label_share", ALL)} or row[column] is None:
                continue
            if column == "reject_share" and label != ALL:
                continue
            value, counted = float(row[column]), _counted(measured, column, corpus, label)
            share = _share(measured, column, corpus, label)
            interval = wilson_interval(share, continuity=True) if share else None
            yield Comparison(corpus, label, name, None, value, value, counted, interval)


def _compare(before: Measured, after: Measured, corpus: str, label: str) -> Iterator[Comparison]:
    for name in INDEXES:
        key = (name.removesuffix("_psi"), corpus, label)
        old, new = before.histograms.get(key, {}), after.histograms.get(key, {})
        yield from _distance(name, corpus, label, old, new)
    for name in DISTANCES:
        if name == "branch_js":
            old = before.branches.get((corpus, label), {})
            new = after.branches.get((corpus, label), {})
        elif label == ALL:
            old, new = before.labels(corpus), after.labels(corpus)
        else:
            continue
        yield from _distance(name, corpus, label, old, new)
    for name in CHANGES:
        yield from _change(name, before, after, corpus, label)


def _distance(name: str, corpus: str, label: str, old: Counts, new: Counts) -> Iterator[Comparison]:
    of = population_stability_index if name in INDEXES else jensen_shannon_distance
    if any(old.values()) or any(new.values()):
        counted = min(sum(old.values()), sum(new.values()))
        yield Comparison(corpus, label, name, None, None, of(old, new), counted)


def _change(
    name: str, before: Measured, after: Measured, corpus: str, label: str
) -> Iterator[Comparison]:
    column = name.removesuffix("_change")
    if (column == "label_share" and label == ALL) or (column == "reject_share" and label != ALL):
        return
    old, new = _value(before, column, corpus, label), _value(after, column, corpus, label)
    if old is None and new is None:
        return
    if old is None or new is None:
        value = None
    elif column == "mentions_per_1000":
        value = new / old - 1 if old else None
    else:
        value = new - old
    counted = min(_counted(side, column, corpus, label) for side in (before, after))
    one, other = (_share(side, column, corpus, label) for side in (before, after))
    interval = difference_interval(one, other, continuity=True) if one and other else None
    yield Comparison(corpus, label, name, old, new, value, counted, interval)


def _value(side: Measured, column: str, corpus: str, label: str) -> float | None:
    """A row's value. A label that was not found at all has none of the mentions."""
    row = side.rows.get((corpus, label))
    if row is not None:
        value: float | None = row[column]
        return value
    return 0.0 if column in {"label_share", "mentions_per_1000"} else None


def _counted(side: Measured, column: str, corpus: str, label: str) -> int:
    """What a value rests on."""
    whole = side.rows[corpus, ALL]
    row = side.rows.get((corpus, label))
    documents, mentions = int(whole["documents"]), int(row["mentions"] if row else 0)
    match column:
        case "mentions_per_1000":
            return documents
        case "reject_share":
            return documents + int(whole["rejects"])
        case "label_share":
            return int(whole["mentions"])
        case "documents" | "mentions":
            return EVERYTHING
    return mentions


def _share(side: Measured, column: str, corpus: str, label: str) -> Share | None:
    """A value as a share of what is independent; None where it is no share, or of nothing.

    Records are. Mentions of a document are alike, as if they were one: so no more of them count
    than there are documents.
    """
    value = _value(side, column, corpus, label)
    of = _counted(side, column, corpus, label)
    if column != "reject_share":
        of = min(of, int(side.rows[corpus, ALL]["documents"]))
    return Share(value, of) if column.endswith("_share") and value is not None and of else None
