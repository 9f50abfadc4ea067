"""How far two distributions are from each other, given as counts by category.

Two measures, because they answer two questions. The population stability index is the usual one
for scores in ordered bins, with rules of thumb that people know. The Jensen-Shannon distance has
bounds and needs no smoothing, so that it holds where categories come and go.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

SMOOTHING = 1e-4
"""What is added to the share of each bin before shares are made to sum to 1 again."""


def population_stability_index(
    before: Mapping[Hashable, int], after: Mapping[Hashable, int]
) -> float | None:
    """The sum over bins of (p - q) ln(p / q), p and q being their shares after and before.

    It is Kullback and Leibler's divergence in either direction, added up: 0 for equal shares, the
    same either way round, without an upper bound (about 9.2 for disjoint bins with this smoothing).
    Bins that are empty on both sides do not count; the others get :data:`SMOOTHING`, so that one
    empty on one side does not make it infinite.

    Source: Siddiqi, Credit Risk Scorecards (2006); its distribution: Yurdakul, Statistical
    Properties of Population Stability Index (2018).

    Args:
        before: counts by bin, none below 0.
        after: counts by bin of what is compared with it.

    Returns:
        The index, or None where a side has no counts at all.
    """
    shares = _shares(before, after)
    if shares is None:
        return None
    whole = 1 + SMOOTHING * len(shares)
    smooth = [((p + SMOOTHING) / whole, (q + SMOOTHING) / whole) for p, q in shares]
    return max(0.0, math.fsum((p - q) * math.log(p / q) for p, q in smooth))


def jensen_shannon_distance(
    before: Mapping[Hashable, int], after: Mapping[Hashable, int]
) -> float | None:
    """The square root of Jensen and Shannon's divergence, base 2: a metric from 0 to 1.

    0 for equal shares, 1 for distributions that have no category in common.

    Source: Lin, Divergence Measures Based on the Shannon Entropy (1991); that its root is a metric:
    Endres and Schindelin, A New Metric for Probability Distributions (2003).

    Args:
        before: counts by category, none below 0.
        after: counts by category of what is compared with it.

    Returns:
        The distance, or None where a side has no counts at all.
    """
    shares = _shares(before, after)
    if shares is None:
        return None
    divergence = math.fsum(
        (_information(p, (p + q) / 2) + _information(q, (p + q) / 2)) / 2 for p, q in shares
    )
    return math.sqrt(min(1.0, max(0.0, divergence)))


def _information(share: float, of: float) -> float:
    return share * math.log2(share / of) if share > 0 else 0.0


def _shares(
    before: Mapping[Hashable, int], after: Mapping[Hashable, int]
) -> list[tuple[float, float]] | None:
    """Shares after and before, of each category that either has, in an order of its own."""
    whole_before, whole_after = sum(before.values()), sum(after.values())
    if not whole_before or not whole_after:
        return None
    there = sorted(
        {key for side in (before, after) for key, count in side.items() if count}, key=repr
    )
    return [(after.get(key, 0) / whole_after, before.get(key, 0) / whole_before) for key in there]
