"""Quality in words, and its figures as people read them."""

from __future__ import annotations

from flows.quality.measures import ABOVE, BELOW, DISTANCES, INDEXES


def told(failed: int, warnings: int) -> str:
    """How many thresholds were crossed, in words; counts alone, fit for Prefect."""
    parts = [f"{failed:,} of failure"] if failed else []
    parts += [f"{warnings:,} of warning"] if warnings else []
    return "quality thresholds crossed: " + (" and ".join(parts) or "none")


def shown(measure: str, value: float | None) -> str:
    """A column of ``quality``, or a value of a measure, rounded and with its unit.

    Shares are percentages, their changes percentage points (pp); None is nothing.
    """
    if value is None:
        return ""
    if measure.endswith("_change"):
        column = measure.removesuffix("_change")
        if column == "mentions_per_1000":  # a part of what it was
            return f"{value:+.1%}"
        return f"{100 * value:+.1f} pp" if column.endswith("_share") else f"{value:+.3f}"
    column = measure.removesuffix(BELOW).removesuffix(ABOVE)
    if column.endswith("_share"):
        return f"{value:.1%}"
    if column == "mentions_per_1000":
        return f"{value:,.2f}"
    if column == "mean_score" or column in (*INDEXES, *DISTANCES):
        return f"{value:.3f}"
    return f"{value:,.0f}"


def threshold_shown(measure: str, value: float | None) -> str:
    """A threshold, which has no sign: a change of that size is beyond it, up or down."""
    if value is None:
        return ""
    if not measure.endswith("_change"):
        return f"{value:,g}" if measure in (*INDEXES, *DISTANCES) else shown(measure, value)
    if measure == "mentions_per_1000_change":
        return f"{100 * value:g}%"
    return f"{100 * value:g} pp" if measure.endswith("_share_change") else f"{value:g}"


def side_shown(measure: str, value: float | None) -> str:
    """What a change is from, or to: the measure itself."""
    return shown(measure.removesuffix("_change"), value)
