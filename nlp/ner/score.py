"""Strict span scoring: a mention counts when start, end and label all agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

SpanKey = tuple[int, int, str]


@dataclass(frozen=True)
class SpanScore:
    """Counts of gold, found and agreeing mentions, and the ratios made of them (0 to 1)."""

    gold: int
    found: int
    agreed: int

    @property
    def precision(self) -> float:
        """Share of found mentions that are gold; 0 where none were found."""
        return self.agreed / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of gold mentions that were found; 0 where there are none."""
        return self.agreed / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.agreed / (self.gold + self.found) if self.gold + self.found else 0.0

    @classmethod
    def total(cls, scores: Iterable[SpanScore]) -> SpanScore:
        """Micro counts: the sums over labels or texts."""
        parts = list(scores)
        return cls(
            sum(s.gold for s in parts), sum(s.found for s in parts), sum(s.agreed for s in parts)
        )


def score_spans(
    gold: Sequence[AbstractSet[SpanKey]], found: Sequence[AbstractSet[SpanKey]]
) -> SpanScore:
    """Micro counts over texts; the two sequences name the same texts in the same order."""
    pairs = list(zip(gold, found, strict=True))
    return SpanScore(
        gold=sum(len(g) for g, _ in pairs),
        found=sum(len(f) for _, f in pairs),
        agreed=sum(len(g & f) for g, f in pairs),
    )


def score_by_label(
    gold: Sequence[AbstractSet[SpanKey]], found: Sequence[AbstractSet[SpanKey]]
) -> dict[str, SpanScore]:
    """Counts by label, over all labels that occur, sorted."""
    labels = sorted({span[2] for spans in (*gold, *found) for span in spans})
    return {
        label: score_spans(
            [{span for span in spans if span[2] == label} for spans in gold],
            [{span for span in spans if span[2] == label} for spans in found],
        )
        for label in labels
    }
