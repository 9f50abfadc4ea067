"""What the flow of one training shares within this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.progress import Reporter
    from flows.training.order import TrainingOrder
    from nlp.ner.score import SpanScore


@dataclass
class TrainingSession:
    """A training under way: never a flow parameter, since flows are given ids and folders only."""

    run_id: str
    order: TrainingOrder
    reporter: Reporter
    scores: dict[str, SpanScore] = field(default_factory=dict)
    error: BaseException | None = None
    seconds: dict[str, float] = field(default_factory=dict)


_SESSIONS: dict[str, TrainingSession] = {}


@contextmanager
def opened(session: TrainingSession) -> Iterator[TrainingSession]:
    """Make a session known to the flow of its training."""
    _SESSIONS[session.run_id] = session
    try:
        yield session
    finally:
        del _SESSIONS[session.run_id]


def current(run_id: str) -> TrainingSession:
    """The session of a training that this process has open."""
    return _SESSIONS[run_id]
