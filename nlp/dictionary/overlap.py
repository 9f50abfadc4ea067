"""Which mentions stay where those of a dictionary overlap each other or a model's.

**The rule.** Among a dictionary's matches the longest stays; of equally long ones the earlier; of
those at the very same place that of the dictionary named first. Mentions of models stand: a
dictionary's mention that shares a character with one of them, of whatever label, gives way. A model
has seen the sentence; a dictionary knows the words alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nlp.ner.cover import Cover
from nlp.ner.decode import Span


def longest(spans: Iterable[tuple[int, int]]) -> list[int]:
    """Positions, ascending, of the spans that stay: the longest wins, then the earlier.

    Of equal spans (start, end) the one that is given first stays.
    """
    given = list(spans)
    order = sorted(range(len(given)), key=lambda i: (given[i][0] - given[i][1], given[i][0]))
    taken = Cover()
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


def _cover(spans: Iterable[Span]) -> Cover:
    """What the spans of models cover, which may overlap."""
    covered = Cover()
    start, end = 0, 0
    for span in sorted(spans, key=lambda span: span.start):
        if span.start >= end:
            covered.take(start, end)
            start = span.start
        end = max(end, span.end)
    covered.take(start, end)
    return covered
