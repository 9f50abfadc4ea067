"""Handing work to a pool: so much in flight, results as they come, deaths noticed."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from flows.processes import STOP, kill_workers
from flows.receipt import Receipt

Item = TypeVar("Item")

_LOOK_SECONDS = 0.2


class Pending(Protocol):
    """What is asked of a future; Prefect's are such, and those of ``concurrent.futures``."""

    def add_done_callback(self, fn: Callable[..., None], /) -> object:
        """Call ``fn`` with the future when it is done."""

    def result(self) -> Receipt:
        """What the task returned, or raise what it failed with."""


@dataclass(frozen=True)
class Pool:
    """What handing out work must know of the place where it is done.

    ``deaths`` are the exceptions by which a future tells that its worker died, whoever was to
    blame. ``kill`` ends the workers, or takes from them what they were given. ``is_local`` says
    that the workers are children of this process: the death of one breaks the pool for all that
    is in flight, and a worker that hangs can be killed from here. ``look`` is called often and
    raises where no worker is left that could do anything.
    """

    deaths: tuple[type[BaseException], ...]
    kill: Callable[[], None]
    is_local: bool
    look: Callable[[], None] = lambda: None


LOCAL_POOL = Pool((BrokenProcessPool,), kill_workers, is_local=True)
"""Worker processes on this machine."""


def dispatch(
    items: Sequence[Item],
    submit: Callable[[Item], Pending],
    finish: Callable[[Sequence[tuple[Item, Receipt]]], Sequence[Item]],
    *,
    pool: Pool,
    in_flight: int,
    tick: Callable[[Sequence[Item]], None] = lambda in_flight: None,
) -> list[Item]:
    """Run every item in the pool and finish each here, in the order in which they come back.

    After a death nothing more is handed over; what still comes back is finished.

    Args:
        items: what to run.
        submit: hands an item to the pool.
        finish: receives all items that have come back, with their receipts, and returns those
            that must run again. While it works nothing new is submitted, so the writer's pace
            holds back the workers.
        pool: where the items run.
        in_flight: items handed over and not finished at once, at most.
        tick: called several times a second with the items that are on their way.

    Returns:
        Items whose worker died, in order; empty if none did. Items that had not been handed over
        are neither run nor returned.

    Raises:
        Interrupted: a stop was asked for; the workers are killed.
        Exception: whatever a task failed with, once all that had come back is finished.
    """
    waiting = list(reversed(items))
    running: dict[int, Item] = {}
    lost: dict[int, Item] = {}
    back: queue.Queue[tuple[int, Pending]] = queue.Queue()
    number = 0
    try:
        while running or (waiting and not lost):
            while waiting and not lost and len(running) < in_flight:
                item = waiting.pop()
                number += 1
                running[number] = item
                submit(item).add_done_callback(partial(_put, back, number))
            done, failure = list[tuple[Item, Receipt]](), None
            for came, future in _all_ready(back):
                item = running.pop(came)
                try:
                    done.append((item, future.result()))
                except pool.deaths:
                    if pool.is_local and not lost:
                        pool.kill()  # the pool is broken; a stopped worker would hold up its end
                    lost[came] = item
                except Exception as error:
                    failure = error
            if done:
                waiting.extend(finish(done))
            if failure is not None:
                raise failure
            STOP.check()
            pool.look()
            tick(list(running.values()))
    except BaseException:
        pool.kill()
        raise
    return [lost[came] for came in sorted(lost)]


def _put(back: queue.Queue[tuple[int, Pending]], number: int, future: Pending) -> None:
    back.put((number, future))


def _all_ready(back: queue.Queue[tuple[int, Pending]]) -> list[tuple[int, Pending]]:
    """What has come back, after a short wait for the first."""
    try:
        ready = [back.get(timeout=_LOOK_SECONDS)]
    except queue.Empty:
        return []
    while True:
        try:
            ready.append(back.get_nowait())
        except queue.Empty:
            return ready
