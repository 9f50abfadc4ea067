"""Mentions of several models in one list."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from nlp.ner.decode import Span


def merge_spans(found: Sequence[Sequence[Span]]) -> list[tuple[Span, int]]:
    """Join the mentions that several models found in one text.

    The rule: mentions of different labels stand side by side, even where they overlap. Of
    overlapping mentions of one label the longest is kept; of equally long ones the one with the
    higher score, then the one of the model named first.

    Args:
        found: for each model, in the order they were named, its mentions.

    Returns:
        Pairs of mention and index of its model, in text order.
    """
    ranked = sorted(
        ((span, model) for model, spans in enumerate(found) for span in spans),
        key=lambda pair: (pair[0].start - pair[0].end, -pair[0].score, pair[1], pair[0].start),
    )
    kept: dict[str, list[tuple[Span, int]]] = {}  # by label, in text order
    for span, model in ranked:
        row = kept.setdefault(span.label, [])
        place = bisect_left(row, span.start, key=lambda pair: pair[0].start)
        clear_before = place == 0 or row[place - 1][0].end <= span.start
        clear_after = place == len(row) or span.end <= row[place][0].start
        if clear_before and clear_after:
            row.insert(place, (span, model))
    return sorted(
        (pair for row in kept.values() for pair in row),
        key=lambda pair: (pair[0].start, pair[0].end, pair[0].label),
    )
