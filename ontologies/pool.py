"""Spread a pure function over processes, results in order whatever their number."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_PR_SET_PDEATHSIG = 1
_AHEAD = 2
"""Items handed out for each process: one at work and one waiting."""


class Spread(Protocol):
    """What ``map`` does with one iterable."""

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result]:
        """Results in the order of the items."""


@contextmanager
def spreading(workers: int) -> Iterator[Spread]:
    """A ``map`` over ``workers`` new processes; the plain one for a single worker.

    No more than a few items and results are held at once. Functions must be importable and items
    picklable: processes are spawned, since a fork would copy Polars' locked threads.
    """
    if workers < 2:
        yield map
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start, initargs=(os.getpid(),)
    ) as pool:

        def spread(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
            waiting: deque[Future[Result]] = deque()
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= _AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        yield spread


def _start(parent: int) -> None:
    """Leave Ctrl-C to the main process and end with it, even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
