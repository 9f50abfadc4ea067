"""Score intervals of a share and of the difference of two: what few records can say of many.

Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
American Statistical Association 22, 1927; Newcombe, "Two-sided confidence intervals for the single
proportion" and "Interval estimation for the difference between independent proportions",
Statistics in Medicine 17, 1998: methods 3 and 4 of the former, 10 and 11 of the latter.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

Z = NormalDist().inv_cdf(0.975)
"""Of a two-sided interval of 95%."""


class Interval(NamedTuple):
    """From ``low`` to ``high``, both within."""

    low: float
    high: float


class Share(NamedTuple):
    """A share, from 0 to 1, and how many independent ones it is of, at least 1."""

    value: float
    of: int


def wilson_interval(share: Share, *, continuity: bool = False) -> Interval:
    """Wilson's score interval of a share, 95%, within 0 and 1; the share itself is in it.

    Args:
        share: what was seen. It need not be a whole number of what it is of: where mentions of a
            document count as one, it is their mean.
        continuity: whether to correct for counts being whole numbers, which makes it wider.
    """
    value, of = share
    spread = Z * Z + 4 * of * value * (1 - value)
    slack, tilt = 0.0, 0.0
    if continuity:
        slack, tilt, spread = 1.0, 4 * value - 2, spread - 1 / of
    centre, scale = 2 * of * value + Z * Z, 2 * (of + Z * Z)
    low = (centre - slack - Z * math.sqrt(spread + tilt)) / scale
    high = (centre + slack + Z * math.sqrt(spread - tilt)) / scale
    # Up to half of one is none where it is corrected for: the roots are no limits there.
    return Interval(
        max(0.0, min(low, value)) if of * value > slack / 2 else 0.0,
        min(1.0, max(high, value)) if of * (1 - value) > slack / 2 else 1.0,
    )


def difference_interval(before: Share, after: Share, *, continuity: bool = False) -> Interval:
    """Newcombe's hybrid score interval of ``after`` less ``before``, independent shares, 95%."""
    old = wilson_interval(before, continuity=continuity)
    new = wilson_interval(after, continuity=continuity)
    change = after.value - before.value
    return Interval(
        change - math.hypot(after.value - new.low, old.high - before.value),
        change + math.hypot(new.high - after.value, before.value - old.low),
    )
