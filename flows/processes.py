"""Processes that do not outlive the run: parent-death signals and a stop that is asked for."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1


class Interrupted(Exception):
    """The user or the scheduler asked the run to stop."""


def die_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere do nothing.

    Without it a killed run leaves its pool workers and its Prefect server behind for ever.

    Args:
        parent: process id of the parent, to see whether it died before this call.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def children() -> set[int]:
    """Ids of the processes that this one has started and that have not ended."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name in brackets may hold anything, blanks and brackets too.
            state, parent, *_ = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(parent) == os.getpid() and state != "Z":
                found.add(int(stat.parent.name))
    return found


class Stop:
    """A flag that Ctrl-C and SIGTERM set, and long loops look at."""

    def __init__(self) -> None:
        """A stop that nobody has asked for."""
        self._asked = threading.Event()
        self._listens = False

    def ask(self) -> None:
        """Ask the run to stop at the next look."""
        self._asked.set()

    def check(self) -> None:
        """Raise :class:`Interrupted` where a stop was asked for."""
        if self._asked.is_set():
            raise Interrupted

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within the block, of the main thread, SIGINT and SIGTERM ask for a stop."""
        self._asked.clear()
        self._listens = True
        try:
            with self._handling(signal.SIGINT, signal.SIGTERM):
                yield
        finally:
            self._listens = False
            self._asked.clear()

    @contextmanager
    def heard_in_flows(self) -> Iterator[None]:
        """Within the block SIGTERM asks for a stop, if it did around the flow.

        Prefect sets a handler of its own while a flow runs, which raises in the middle of whatever
        is at work, a commit of DuckDB's too.
        """
        if not self._listens or threading.current_thread() is not threading.main_thread():
            yield
            return
        with self._handling(signal.SIGTERM):
            yield

    @contextmanager
    def _handling(self, *signals: signal.Signals) -> Iterator[None]:
        before = {s: signal.signal(s, self._hear) for s in signals}
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)

    def _hear(self, signum: int, frame: FrameType | None) -> None:
        if self._asked.is_set():
            raise KeyboardInterrupt
        self.ask()


STOP = Stop()
"""The stop of this process: signals know no other address."""


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Within the block SIGINT and SIGTERM set :data:`STOP`; a second one ends at once."""
    if threading.current_thread() is not threading.main_thread():
        STOP._asked.clear()
        yield STOP  # signals reach the main thread only
        return
    with STOP.listening():
        yield STOP


def kill_workers() -> None:
    """Kill the pool's workers. Nothing is lost: what they had not staged is annotated again."""
    for child in multiprocessing.active_children():
        child.kill()


def kill_workers_after(seconds: float) -> threading.Timer:
    """Kill what is left of the pool's workers after so many seconds, unless that is cancelled.

    A pool that is shut down waits for its workers, and for ever where one of them is stopped.
    """
    timer = threading.Timer(seconds, kill_workers)
    timer.daemon = True
    timer.start()
    return timer
