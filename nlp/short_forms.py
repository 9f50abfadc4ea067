"""Mentions of short forms that the document itself defines.

A text that says "monoamine oxidase inhibitor (MAOI)" says what MAOI is for the rest of it. The
model judges each occurrence by its own surroundings; the definition knows better.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    kept = list(spans)
    for short in abbreviations:
        start, end = short.short_start_char, short.short_end_char
        long_spans = [
            span
            for span in by_end.get(short.long_end_char, ())
            if span.start <= short.long_start_char
        ]
        if not long_spans:
            continue
        labels = {span.label for span in long_spans}
        kept = [s for s in kept if (s.start, s.end) != (start, end) or s.label in labels]
        for span in long_spans:
            if not any(s.label == span.label and s.start < end and start < s.end for s in kept):
                kept.append(Span(start, end, span.label, span.score))
    return sorted(kept, key=lambda span: (span.start, span.end, span.label))
