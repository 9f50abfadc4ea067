"""What the flows of one run share within this process, and how their errors are kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from flows.work import WorkFolder

if TYPE_CHECKING:
    from flows.order import Order
    from flows.progress import Reporter
    from flows.warehouse.connection import Connection


class StageFailed(Exception):
    """A stage failed: all that Prefect may store of it. The cause is in ``Session.error``."""


@dataclass
class Session:
    """An open run: never a flow parameter, since flows are given ids and folders only."""

    run_id: str
    connection: Connection
    order: Order
    work: WorkFolder
    reporter: Reporter
    in_pool: Callable[[], None] = lambda: None
    error: BaseException | None = None
    seconds: dict[str, float] = field(default_factory=dict)


_SESSIONS: dict[str, Session] = {}


@contextmanager
def opened(session: Session) -> Iterator[Session]:
    """Make a session known to the flows of its run."""
    _SESSIONS[session.run_id] = session
    try:
        yield session
    finally:
        del _SESSIONS[session.run_id]


def current(run_id: str) -> Session:
    """The session of a run that this process has open."""
    return _SESSIONS[run_id]


class Staged(Protocol):
    """What a stage leaves in the session that it belongs to."""

    error: BaseException | None
    seconds: dict[str, float]


@contextmanager
def stage(session: Staged, name: str) -> Iterator[None]:
    """Time a stage, and keep its error's words from Prefect: they may name a file."""
    clock = time.perf_counter()
    try:
        yield
    except StageFailed:
        raise
    except BaseException as error:
        session.error = error
        raise StageFailed(f"{name} failed: {type(error).__name__}") from None
    finally:
        spent = time.perf_counter() - clock
        session.seconds[name] = session.seconds.get(name, 0.0) + spent
