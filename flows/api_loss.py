"""A Prefect API that goes away in the middle of a run: wait for it, go on, or say so in a line.

Prefect's client retries each call for about a minute. What a run has done stands in the warehouse,
so its flow can be entered again as often as need be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from flows.errors import CharthouseError
from flows.prefect_server import api_answers, configured_api
from flows.processes import STOP

MOST_LOSSES = 5
"""An API that goes away more often during one run is given up."""


_WAIT_SECONDS = 60.0
"""Waited for an API that has failed a call, after the minute of the client's own retries."""


def is_api_loss(error: BaseException) -> bool:
    """Whether an error says that Prefect's API cannot be reached or fails on its side."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500
    if isinstance(error, RuntimeError):
        return "Failed to reach API" in str(error)
    return isinstance(error, httpx.TransportError)


def comes_back(address: str, seconds: float = _WAIT_SECONDS) -> bool:
    """Wait until an API answers again; False where it does not in time."""
    deadline = time.monotonic() + seconds
    while not api_answers(address):
        STOP.check()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def entered_again(enter: Callable[[], None], say: Callable[[str], None]) -> None:
    """Do what ``enter`` does, again from its beginning whenever Prefect's API goes away in it.

    Args:
        enter: may be called again; what it has done it finds done.
        say: tells the user of a loss.

    Raises:
        CharthouseError: the API stays away.
        Exception: whatever else ``enter`` fails with.
    """
    for loss in range(1, MOST_LOSSES + 1):
        with lost_api_told():
            try:
                enter()
            except Exception as error:
                if loss == MOST_LOSSES or not is_api_loss(error):
                    raise
                if not comes_back(configured_api() or ""):
                    raise
                say("Prefect's API went away and is back: going on")
            else:
                return


@contextmanager
def lost_api_told() -> Iterator[None]:
    """Turn the loss of Prefect's API into an error that says what to do."""
    try:
        yield
    except Exception as error:
        if not is_api_loss(error):
            raise
        raise CharthouseError(
            "the Prefect API does not answer any more",
            "What was finished is in the warehouse: when the API is back, run the same command "
            "again to go on",
        ) from None
