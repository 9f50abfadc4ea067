"""Handing work to a pool: so much in flight, results as they come, a death noticed."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TypeVar

from prefect.futures import PrefectFuture

from flows.processes import STOP, kill_workers
from flows.receipt import Receipt

Item = TypeVar("Item")

_LOOK_SECONDS = 0.2


def _put(
    back: queue.Queue[tuple[int, PrefectFuture[Receipt]]],
    number: int,
    future: PrefectFuture[Receipt],
) -> None:
    back.put((number, future))


def dispatch(
    items: Sequence[Item],
    submit: Callable[[Item], PrefectFuture[Receipt]],
    finish: Callable[[Item, Receipt], None],
    *,
    in_flight: int,
    tick: Callable[[], None] = lambda: None,
) -> list[Item]:
    """Run every item in the pool and finish each here, in the order in which they come back.

    Args:
        items: what to run.
        submit: hands an item to the pool.
        finish: receives the item and its receipt; while it works nothing new is submitted, so
            the writer's pace holds back the workers.
        in_flight: items in the pool at once, at most.
        tick: called several times a second.

    Returns:
        Items that were in the pool when a worker died, in order; empty if none did. Items that
        had not been handed over are neither run nor returned.

    Raises:
        Interrupted: a stop was asked for; the workers are killed.
        Exception: whatever a task failed with.
    """
    waiting = list(reversed(items))
    running: dict[int, Item] = {}
    back: queue.Queue[tuple[int, PrefectFuture[Receipt]]] = queue.Queue()
    number = 0
    try:
        while waiting or running:
            while waiting and len(running) < in_flight:
                item = waiting.pop()
                number += 1
                running[number] = item
                submit(item).add_done_callback(partial(_put, back, number))
            try:
                done, future = back.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                pass
            else:
                receipt = future.result()
                finish(running.pop(done), receipt)
            STOP.check()
            tick()
    except BrokenProcessPool:
        return list(running.values())
    except BaseException:
        kill_workers()
        raise
    return []
