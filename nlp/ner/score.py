"""Strict span scoring: a mention counts when start, end and label all agree."""

from __future__ import annotations

from collections.abc import Sequence
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
