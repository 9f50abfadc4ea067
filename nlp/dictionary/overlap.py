"""Which mentions stay where those of a dictionary overlap each other or a model's.

**The rule.** Among a dictionary's matches the longest stays; of equally long ones the earlier; of
those at the very same place that of the dictionary named first. Mentions of models stand: a
dictionary's mention that shares a character with one of them, of whatever label, gives way. A model
has seen the sentence; a dictionary knows the words alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from nlp.ner.decode import Span


class _Disjoint:
    """Spans that do not overlap, in text order."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def take(self, start: int, end: int) -> bool:
        """Add a span unless it overlaps one that is there; says whether it was added."""
        place = bisect_right(self._ends, start)
        if place < len(self._starts) and self._starts[place] < end:
            return False
        self._starts.insert(place, start)
        self._ends.insert(place, end)
        return True


def longest(spans: Iterable[tuple[int, int]]) -> list[int]:
    """Positions, ascending, of the spans that stay: the longest wins, then the earlier.

    Of equal spans (start, end) the one that is given first stays.
    """
    given = list(spans)
    order = sorted(range(len(given)), key=lambda i: (given[i][0] - given[i][1], given[i][0]))
    taken = _Disjoint()
    return sorted(i for i in order if taken.take(*given[i]))


def add_dictionaries(
    mentions: Sequence[tuple[Span, int]], found: Sequence[Sequence[Span]], first: int
) -> list[tuple[Span, int]]:
    """Add the mentions of dictionaries to those of models in one text, by the rule above.

    Args:
        mentions: pairs of mention and index of its model, as ``nlp.ner.merge.merge_spans`` gives.
        found: for each dictionary, in the order they were named, its mentions.
        first: index that the first dictionary has among all sources of mentions.

    Returns:
        Pairs of mention and index of its source, in text order.
    """
    pool = [(span, first + number) for number, spans in enumerate(found) for span in spans]
    kept = [pool[i] for i in longest((span.start, span.end) for span, _ in pool)]
    taken = _cover(span for span, _ in mentions)
    kept = [pair for pair in kept if taken.take(pair[0].start, pair[0].end)]
    return sorted([*mentions, *kept], key=lambda pair: (pair[0].start, pair[0].end, pair[0].label))


def _cover(spans: Iterable[Span]) -> _Disjoint:
    """What the spans of models cover, which may overlap."""
    covered = _Disjoint()
    start, end = 0, 0
    for span in sorted(spans, key=lambda span: span.start):
        if span.start >= end:
            covered.take(start, end)
            start = span.start
        end = max(end, span.end)
    covered.take(start, end)
    return covered
