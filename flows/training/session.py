"""What the flow of one training shares within this process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flows.session import OpenSessions

if TYPE_CHECKING:
    from flows.progress import Reporter
    from flows.training.order import Scores, TrainingOrder


@dataclass
class TrainingSession:
    """A training under way: never a flow parameter, since flows are given ids and folders only."""

    run_id: str
    order: TrainingOrder
    reporter: Reporter
    scores: Scores = field(default_factory=dict)
    error: BaseException | None = None
    seconds: dict[str, float] = field(default_factory=dict)


TRAININGS: OpenSessions[TrainingSession] = OpenSessions()
