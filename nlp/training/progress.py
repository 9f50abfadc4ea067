"""What a training tells of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One report: after a step, or at an epoch's end, when the scores on dev are there too.

    Attributes:
        epoch: the one under way, or just ended; from 1.
        epochs: of the whole training at most.
        step: steps done in this epoch.
        steps: of one epoch.
        loss: mean over the epoch so far.
        scores: by measure, at an epoch's end; None after a step.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    scores: Mapping[str, float] | None = None


Report = Callable[[Progress], None]
"""Receives progress; raises to end the training."""
