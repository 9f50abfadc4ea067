"""Mentions of several models in one list."""

from __future__ import annotations

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
    kept: list[tuple[Span, int]] = []
    for span, model in ranked:
        if not any(
            other.label == span.label and other.start < span.end and span.start < other.end
            for other, _ in kept
        ):
            kept.append((span, model))
    return sorted(kept, key=lambda pair: (pair[0].start, pair[0].end, pair[0].label))
