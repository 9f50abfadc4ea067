"""The least probability of a relation: the one with the best F1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nlp.ner.score import SpanScore


def best_threshold(
    chances: NDArray[np.float32], true: NDArray[np.bool_], gold: int
) -> tuple[float, SpanScore]:
    """The threshold of the highest F1, and the counts there.

    Args:
        chances: probability of each pair, shape (pairs,).
        true: whether annotators related it, shape (pairs,).
        gold: pairs that they related, those without mentions included.

    Returns:
        A threshold halfway between two probabilities, so that rounding decides nothing.
    """
    order = np.argsort(-chances, kind="stable")
    ranked = chances[order].astype(np.float64)
    agreed = np.cumsum(true[order])
    found = np.arange(1, len(order) + 1)
    # Between equal probabilities no threshold can be drawn.
    ends = np.append(ranked[1:] < ranked[:-1], True)
    f1 = np.where(ends, 2 * agreed / (found + gold), -1.0)
    at = int(np.argmax(f1))
    below = ranked[at + 1] if at + 1 < len(ranked) else 0.0
    threshold = float((ranked[at] + below) / 2)
    return threshold, SpanScore(gold, int(found[at]), int(agreed[at]))
