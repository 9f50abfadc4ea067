"""Mentions of several labels and models in one list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from nlp.ner.cover import Cover
from nlp.ner.decode import Span

FAINT = 0.7
"""Share of the best score on a span below which another label gives way. Chosen on dev files."""


def merge_spans(found: Sequence[Sequence[Span]]) -> list[tuple[Span, int]]:
    """Join the mentions that were found in one text.

    The rule: mentions of different labels stand side by side, even where they overlap; but of
    mentions of the very same span, those that score less than ``FAINT`` times the best give way: a
    label learnt from one kind of text guesses at the names it meets in another. Of overlapping
    mentions of one label the longest is kept; of equally long ones the one with the higher score,
    then the one of the model named first.

    Args:
        found: for each model, in the order they were named, its mentions.

    Returns:
        Pairs of mention and index of its model, in text order.
    """
    best: dict[tuple[int, int], float] = {}
    for span in (span for spans in found for span in spans):
        best[span.start, span.end] = max(best.get((span.start, span.end), 0.0), span.score)
    ranked = sorted(
        (
            (span, model)
            for model, spans in enumerate(found)
            for span in spans
            if span.score >= FAINT * best[span.start, span.end]
        ),
        key=lambda pair: (pair[0].start - pair[0].end, -pair[0].score, pair[1], pair[0].start),
    )
    covers: dict[str, Cover] = defaultdict(Cover)
    kept = [
        (span, model) for span, model in ranked if covers[span.label].take(span.start, span.end)
    ]
    return sorted(kept, key=lambda pair: (pair[0].start, pair[0].end, pair[0].label))
