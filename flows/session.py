"""What the flows of one run share within this process, and how their errors are kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from flows.handover import Handover
from flows.processes import STOP
from flows.storage import Storage
from flows.work import WorkFolder

if TYPE_CHECKING:
    from flows.order import Order
    from flows.progress import Reporter
    from flows.warehouse.connection import Connection


class StageFailed(Exception):
    """A stage failed: all that Prefect may store of it. The cause is in ``Session.error``."""


class QualityFailed(Exception):
    """A run did all its work, and crossed a threshold of quality: counts, fit for Prefect."""


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

    @cached_property
    def handover(self) -> Handover:
        """How shards reach the workers and come back."""
        shared = self.order.settings.execution.shared_storage
        return Handover(self.work, self.run_id, Storage(shared) if shared else None)


Opened = TypeVar("Opened")


class OpenSessions(Generic[Opened]):
    """Sessions that this process has open, by the id that their flow is given."""

    def __init__(self) -> None:
        """None is open yet."""
        self._by_id: dict[str, Opened] = {}

    def __reduce__(self) -> tuple[type[OpenSessions[Opened]], tuple[()]]:
        """None is open in another process: Prefect sends flows there with the globals they name."""
        return OpenSessions, ()

    @contextmanager
    def opened(self, run_id: str, session: Opened) -> Iterator[Opened]:
        """Make a session known to its flow."""
        self._by_id[run_id] = session
        try:
            yield session
        finally:
            del self._by_id[run_id]

    def current(self, run_id: str) -> Opened:
        """The session that was opened under the id."""
        return self._by_id[run_id]


RUNS: OpenSessions[Session] = OpenSessions()


class Staged(Protocol):
    """What a stage leaves in the session that it belongs to."""

    error: BaseException | None
    seconds: dict[str, float]


@contextmanager
def stage(session: Staged, name: str) -> Iterator[None]:
    """Time a stage, and keep its error's words from Prefect: they may name a file."""
    clock = time.perf_counter()
    try:
        with STOP.heard_in_flows():
            yield
    except StageFailed:
        raise
    except BaseException as error:
        session.error = error
        raise StageFailed(f"{name} failed: {type(error).__name__}") from None
    finally:
        spent = time.perf_counter() - clock
        session.seconds[name] = session.seconds.get(name, 0.0) + spent
