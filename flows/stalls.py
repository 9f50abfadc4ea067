"""Workers that hang: they end themselves, and the main process ends those that no longer can.

A worker arms a watchdog that needs neither Python nor the worker's locks, and arms it anew with
every batch of documents. A worker that is stopped, or stuck where no watchdog runs, shows in the
main process by its silence.
"""

from __future__ import annotations

import faulthandler
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)

_CHARACTERS = 200_000
"""Text that a worker annotates between two signs of life, unless a document is longer."""

_GRACE = 1.2
"""The main process waits longer than the worker's own watchdog, by this factor ..."""

_GRACE_SECONDS = 5.0
"""... and by so many seconds."""

_LONGEST_LOOK = 1.0
"""Seconds that pass between two looks at most, as far as silence is concerned: while the main
process is busy loading, or is stopped together with its workers, it cannot hear them."""


def stall_limit(stall_seconds: float, longest: int) -> float:
    """Seconds without a sign of life after which a worker hangs.

    Args:
        stall_seconds: the setting.
        longest: characters of the longest document: it is a batch of its own and gets more time.
    """
    return stall_seconds * max(1.0, longest / _CHARACTERS)


@contextmanager
def watchdog(report: Path, seconds: float) -> Iterator[Callable[[], None]]:
    """Within the block this process ends itself unless it gives a sign of life in time.

    Args:
        report: receives the functions and lines at work when that happens; removed otherwise.
        seconds: from one sign to the next.

    Yields:
        The sign of life.
    """
    with report.open("wb") as file:

        def alive() -> None:
            faulthandler.dump_traceback_later(seconds, exit=True, file=file)

        alive()
        try:
            yield alive
        finally:
            faulthandler.cancel_dump_traceback_later()
            report.unlink(missing_ok=True)


class StallWatch(Generic[Item]):
    """The main process's look at items in flight: which have been silent for too long."""

    def __init__(
        self, sign: Callable[[Item], object], least: float, limit: Callable[[Item], float]
    ) -> None:
        """Begin to watch.

        Args:
            sign: anything that changes while an item is worked on; None before that.
            least: seconds that no item's limit falls below.
            limit: an item's limit in seconds; asked once, and only in silence.
        """
        self._sign = sign
        self._least = _GRACE * least + _GRACE_SECONDS
        self._limit = limit
        self._limits: dict[Item, float] = {}
        self._heard: dict[Item | None, tuple[object, float]] = {}
        self._waited = 0.0
        self._looked = time.monotonic()

    def stuck(self, in_flight: Sequence[Item]) -> list[Item]:
        """Items whose worker has been silent for too long.

        These are items at work whose sign has not changed; and all of them, where nothing has
        been heard of any.
        """
        clock = time.monotonic()
        self._waited += min(clock - self._looked, _LONGEST_LOOK)
        self._looked = clock
        signs = {item: self._sign(item) for item in in_flight}
        self._heard = {
            item: heard for item, heard in self._heard.items() if item is None or item in signs
        }
        silent = [
            item
            for item, sign in signs.items()
            if self._is_too_silent(item, sign, [item]) and sign is not None
        ]
        if self._is_too_silent(None, tuple(signs.items()), in_flight):
            return silent or list(in_flight)
        return silent

    def _is_too_silent(self, who: Item | None, sign: object, items: Sequence[Item]) -> bool:
        before, since = self._heard.get(who, (None, 0.0))
        if who not in self._heard or before != sign:
            self._heard[who] = (sign, self._waited)
            return False
        silence = self._waited - since
        if silence <= self._least or not items:
            return False
        for item in items:
            if item not in self._limits:
                self._limits[item] = _GRACE * self._limit(item) + _GRACE_SECONDS
        return silence > max(self._limits[item] for item in items)
