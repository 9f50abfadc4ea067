"""Quality in words."""

from __future__ import annotations


def told(failed: int, warnings: int) -> str:
    """How many thresholds were crossed, in words; counts alone, fit for Prefect."""
    parts = [f"{failed:,} of failure"] if failed else []
    parts += [f"{warnings:,} of warning"] if warnings else []
    return "quality thresholds crossed: " + (" and ".join(parts) or "none")
