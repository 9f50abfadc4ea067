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

    def ask(self) -> None:
        """Ask the run to stop at the next look."""
        self._asked.set()

    def check(self) -> None:
        """Raise :class:`Interrupted` where a stop was asked for."""
        if self._asked.is_set():
            raise Interrupted


STOP = Stop()
"""The stop of this process: signals know no other address."""


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Within the block SIGINT and SIGTERM set :data:`STOP`; a second one ends at once."""
    STOP._asked.clear()

    def ask(signum: int, frame: FrameType | None) -> None:
        if STOP._asked.is_set():
            raise KeyboardInterrupt
        STOP.ask()

    if threading.current_thread() is not threading.main_thread():
        yield STOP  # signals reach the main thread only
        return
    before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield STOP
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def kill_workers() -> None:
    """Kill the pool's workers. Nothing is lost: what they had not staged is annotated again."""
    for child in multiprocessing.active_children():
        child.kill()
