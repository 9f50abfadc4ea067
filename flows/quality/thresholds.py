"""Which threshold holds where, and what a value becomes by it."""

from __future__ import annotations

from typing import NamedTuple

from flows.quality.intervals import Interval
from flows.quality.measured import Comparison
from flows.quality.measures import OF_LABELS, crosses
from flows.quality.schema import ALL, FAILED, OK, TOO_FEW, WARNING
from flows.quality.settings import QualitySettings


class Thresholds(NamedTuple):
    """Of a warning and of a failure; None where there is none."""

    warn: float | None
    fail: float | None


def thresholds_of(settings: QualitySettings, measure: str, corpus: str, label: str) -> Thresholds:
    """The thresholds of a measure for a corpus and label."""
    found = Thresholds(None, None)
    if corpus != ALL and (label == ALL) != (measure in OF_LABELS):
        found = Thresholds(settings.warn.get(measure), settings.fail.get(measure))
    for rule in settings.rules:
        if (
            rule.measure == measure
            and _is_for(rule.corpora, corpus)
            and _is_for(rule.labels if measure not in OF_LABELS else _named(rule.labels), label)
        ):
            found = Thresholds(
                found.warn if rule.warn is None else rule.warn,
                found.fail if rule.fail is None else rule.fail,
            )
    return found


def _named(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Labels of a rule about shares of labels, which says nothing of all together."""
    return tuple(label for label in labels if label != ALL)


def _is_for(named: tuple[str, ...], name: str) -> bool:
    return name in named if named else name != ALL


def status_of(found: Comparison, thresholds: Thresholds, min_count: int) -> str:
    """What a comparison becomes: ok, warning, failed, or too_few where it rests on too little.

    What rests on less than ``min_count`` is beyond a threshold only where all of its interval is.
    """
    if found.value is None:
        return TOO_FEW
    enough = found.counted >= min_count
    seen = Interval(found.value, found.value) if enough else found.interval
    if seen is None:
        return TOO_FEW
    if thresholds.fail is not None and crosses(found.measure, seen, thresholds.fail):
        return FAILED
    if thresholds.warn is not None and crosses(found.measure, seen, thresholds.warn):
        return WARNING
    return OK if enough else TOO_FEW
