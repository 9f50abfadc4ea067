"""Mentions of short forms that the document itself defines.

A text that says "monoamine oxidase inhibitor (MAOI)" says what MAOI is for the rest of it. The
model judges each occurrence by its own surroundings; the definition knows better.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from nlp.ner.decode import Span
from nlp.preprocess.abbreviations import Abbreviation


def spread_labels(spans: Sequence[Span], abbreviations: Sequence[Abbreviation]) -> list[Span]:
    """Give every occurrence of a defined short form the labels of its long form.

    Where a mention ends with the long form and begins no later than it, its labels hold for each
    occurrence of the short form, unless a mention of the label is there already. Such a mention
    has the long form's score. A mention that is exactly the short form and has none of the long
    form's labels gives way.

    Args:
        spans: one model's mentions in one text.
        abbreviations: the text's, one an occurrence.

    Returns:
        The mentions in text order.
    """
    if not abbreviations or not spans:
        return list(spans)
    by_end: dict[int, list[Span]] = {}
    for span in spans:
        by_end.setdefault(span.end, []).append(span)
    kept = _Kept(spans)
    for short in abbreviations:
        start, end = short.short_start_char, short.short_end_char
        long_spans = [
            span
            for span in by_end.get(short.long_end_char, ())
            if span.start <= short.long_start_char
        ]
        if not long_spans:
            continue
        kept.drop(start, end, {span.label for span in long_spans})
        for span in long_spans:
            if not kept.overlaps(start, end, span.label):
                kept.add(Span(start, end, span.label, span.score))
    return sorted(kept, key=lambda span: (span.start, span.end, span.label))


_BLOCK = 64
"""Characters: spans are looked for among those of the blocks they touch, not in a whole text."""


class _Kept:
    """Mentions that may be added to and dropped, found by place."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans: dict[int, Span] = {}
        self._blocks: dict[int, list[int]] = defaultdict(list)
        self._next = 0
        for span in spans:
            self.add(span)

    def __iter__(self) -> Iterator[Span]:
        return iter(self._spans.values())

    def add(self, span: Span) -> None:
        """Keep one more."""
        self._spans[self._next] = span
        for block in _blocks(span.start, span.end):
            self._blocks[block].append(self._next)
        self._next += 1

    def drop(self, start: int, end: int, labels: set[str]) -> None:
        """Drop mentions at exactly this place that have none of the labels."""
        for number in list(self._near(start, end)):
            span = self._spans[number]
            if (span.start, span.end) == (start, end) and span.label not in labels:
                del self._spans[number]

    def overlaps(self, start: int, end: int, label: str) -> bool:
        """Whether a mention of the label shares a character with the place."""
        near = (self._spans[number] for number in self._near(start, end))
        return any(s.label == label and s.start < end and start < s.end for s in near)

    def _near(self, start: int, end: int) -> Iterator[int]:
        seen = dict.fromkeys(n for block in _blocks(start, end) for n in self._blocks[block])
        return (number for number in seen if number in self._spans)


def _blocks(start: int, end: int) -> range:
    return range(start // _BLOCK, max(start, end - 1) // _BLOCK + 1)
