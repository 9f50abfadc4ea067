"""From counts per document to measures with intervals: one formula for all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from flows.evaluating.bootstrap import interval, resample_totals

Item = TypeVar("Item", bound=Hashable)

MICRO = "micro"
"""Stands for all labels together: their counts are summed."""


@dataclass(frozen=True)
class Measure:
    """A ratio: what agreed, to the mean of the counts it is measured by.

    Precision is ``agreed`` to ``found``, recall ``agreed`` to ``gold``; F1, the harmonic mean of
    the two, is ``agreed`` to the mean of ``gold`` and ``found``.
    """

    name: str
    agreed: str
    by: tuple[str, ...]


PRECISION = Measure("precision", "agreed", ("found",))
RECALL = Measure("recall", "agreed", ("gold",))
F1 = Measure("f1", "agreed", ("gold", "found"))
COVERAGE = Measure("coverage", "held", ("gold",))
"""Share of what is to be found that the concept store holds: no recall can be higher."""

AGREEMENT = (PRECISION, RECALL, F1)


@dataclass(frozen=True)
class Counts:
    """Counts of one corpus, by document, label and column.

    Attributes:
        scope: what was compared, for example ``strict``.
        labels: the labels, in the order of the second axis.
        columns: what is counted, in the order of the third axis; ``gold`` is always there.
        values: shape (documents, labels, columns).
        measures: what to make of them.
    """

    scope: str
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    values: NDArray[np.int64]
    measures: tuple[Measure, ...] = AGREEMENT


@dataclass(frozen=True)
class Score:
    """One measure of one label, 0 to 1, with its bootstrap interval and the counts behind it.

    ``found`` is ``None`` where nothing is found but only judged, as in linking.
    """

    scope: str
    label: str
    measure: str
    value: float
    low: float
    high: float
    gold: int
    found: int | None
    agreed: int


def in_both(gold: AbstractSet[Item], found: AbstractSet[Item]) -> int:
    """How many items are in both sets."""
    return len(gold & found)


def count_sets(
    scope: str,
    gold: Sequence[Mapping[str, AbstractSet[Item]]],
    found: Sequence[Mapping[str, AbstractSet[Item]]],
    labels: Sequence[str],
    agreeing: Callable[[AbstractSet[Item], AbstractSet[Item]], int] = in_both,
) -> Counts:
    """Count what is gold, what was found, and how much of the two agrees.

    Args:
        scope: see :class:`Counts`.
        gold, found: for each document, in the same order, its items by label.
        labels: the labels to count; others are passed over.
        agreeing: counts the items of two sets that agree.
    """
    nothing: AbstractSet[Item] = frozenset()
    values = np.zeros((len(gold), len(labels), 3), dtype=np.int64)
    for row, (wanted, there) in enumerate(zip(gold, found, strict=True)):
        for column, label in enumerate(labels):
            g, f = wanted.get(label, nothing), there.get(label, nothing)
            values[row, column] = len(g), len(f), agreeing(g, f)
    return Counts(scope, tuple(labels), ("gold", "found", "agreed"), values)


def score(counts: Counts, *, resamples: int, seed: int) -> list[Score]:
    """All measures of every label, and of all labels together as ``micro``.

    A measure that is not defined, such as the precision of nothing, is 0, as in seqeval; draws in
    which it is not defined are left out of its interval.
    """
    values = np.concatenate([counts.values, counts.values.sum(axis=1, keepdims=True)], axis=1)
    totals = values.sum(axis=0).astype(np.float64)
    drawn = resample_totals(values, resamples, seed)
    at = {column: index for index, column in enumerate(counts.columns)}
    scores = []
    for row, label in enumerate((*counts.labels, MICRO)):
        count = {column: int(totals[row, index]) for column, index in at.items()}
        for measure in counts.measures:
            value = float(np.nan_to_num(_ratio(totals[row], measure, at)))
            low, high = interval(_ratio(drawn[:, row], measure, at), value)
            agreed = count[measure.agreed]
            scores.append(
                Score(
                    counts.scope,
                    label,
                    measure.name,
                    value,
                    low,
                    high,
                    count["gold"],
                    count.get("found"),
                    agreed,
                )
            )
    return scores


def _ratio(
    totals: NDArray[np.float64], measure: Measure, at: Mapping[str, int]
) -> NDArray[np.float64]:
    """The measure of totals of shape (..., columns); NaN where it is not defined."""
    over = len(measure.by) * totals[..., at[measure.agreed]]
    by = totals[..., [at[column] for column in measure.by]].sum(axis=-1)
    return np.divide(over, by, out=np.full_like(over, np.nan), where=by > 0)
