"""Texts with gold mentions, and what they say of each word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OUTSIDE, BEGIN, INSIDE = range(3)
TAGS = 3
"""Tags of one label's chain, in the order of its logits."""


@dataclass(frozen=True)
class GoldText:
    """A text with gold mentions (start, end, label) and the labels its corpus annotates."""

    text: str
    mentions: tuple[tuple[int, int, str], ...]
    annotated: frozenset[str]


def allowed_tags(
    gold: GoldText,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    labels: Sequence[str],
) -> NDArray[np.bool_]:
    """Which tags the gold allows for each word and label, shape (words, labels, 3).

    A word belongs to a mention when they share a character; of overlapping mentions of one label
    the longest is taught. Where the corpus says nothing about a label every tag is allowed, so
    that silence is not taught as absence.

    Args:
        gold: the text.
        starts, ends: its words in characters, shape (words,).
        labels: the model's labels, in the order of its chains.
    """
    allowed = np.zeros((len(starts), len(labels), TAGS), dtype=bool)
    allowed[:, :, OUTSIDE] = True
    taken = np.zeros((len(starts), len(labels)), dtype=bool)
    column = {label: index for index, label in enumerate(labels)}
    for start, end, label in sorted(gold.mentions, key=lambda m: (m[0] - m[1], m[0])):
        first = int(np.searchsorted(ends, start, side="right"))
        last = int(np.searchsorted(starts, end, side="left"))
        chain = column.get(label)
        if chain is None or first >= last or taken[first:last, chain].any():
            continue
        taken[first:last, chain] = True
        allowed[first:last, chain] = False
        allowed[first, chain, BEGIN] = True
        allowed[first + 1 : last, chain, INSIDE] = True
    for label, chain in column.items():
        if label not in gold.annotated:
            allowed[:, chain] = True
    return allowed
