"""Bootstrap intervals: documents are drawn again with replacement.

Mentions of one document rise and fall together, so documents are what is drawn. The interval is
the percentile interval (Efron and Tibshirani 1993, chapter 13).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
"""Share of the resamples that an interval holds."""

_CELLS = 4_000_000
"""Draws that are in memory at once."""


def resample_totals(counts: NDArray[np.int64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Totals over documents, in as many draws of documents as asked for.

    Each draw takes as many documents as there are. The same seed draws the same documents
    whatever is counted, so that all measures of a corpus rest on the same draws.

    Args:
        counts: whole numbers of shape (documents, ...), at least one document.
        resamples: number of draws.
        seed: of the random numbers.

    Returns:
        Totals of shape (resamples, ...), whole numbers as floats.
    """
    documents = len(counts)
    flat = counts.reshape(documents, -1).astype(np.float64)
    random = np.random.default_rng(seed)
    totals: list[NDArray[np.float64]] = []
    for first in range(0, resamples, step := max(1, _CELLS // documents)):
        rows = min(step, resamples - first)
        drawn = random.integers(0, documents, size=(rows, documents))
        drawn += np.arange(rows)[:, None] * documents
        times = np.bincount(drawn.ravel(), minlength=rows * documents).reshape(rows, documents)
        totals.append(times.astype(np.float64) @ flat)
    return np.asarray(np.concatenate(totals).reshape(resamples, *counts.shape[1:]))


def interval(samples: NDArray[np.float64], value: float) -> tuple[float, float]:
    """The bounds that hold the middle ``LEVEL`` of the samples.

    Args:
        samples: the measure in each draw, shape (resamples,), NaN where it is not defined.
        value: the measure itself. Where few draws leave it outside, the bounds are widened to it.
    """
    defined = samples[~np.isnan(samples)]
    if not len(defined):
        return value, value
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return min(float(low), value), max(float(high), value)
