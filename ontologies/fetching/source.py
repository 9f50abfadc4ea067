"""Where a file comes from, and how patiently it is asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx

from ontologies.fetching.errors import DownloadError

Progress = Callable[[str, int, int | None], None]
"""Is told what is going on, and bytes done of bytes in all (None = not known)."""
Note = Callable[[str], None]
"""Is told, in one line, that something went wrong and is tried again."""


def _unseen(what: str, done: int, total: int | None) -> None:
    pass


def _unheard(line: str) -> None:
    pass


@dataclass(frozen=True)
class Manner:
    """How long a download waits, how often it tries again, and who watches it.

    Attributes:
        connect_seconds: for a connection to be made.
        stall_seconds: without any byte, until the connection is given up.
        retries: attempts in a row that may bring nothing new.
        pause_seconds: before the first new attempt; it doubles, up to a minute.
        progress: is told of every chunk.
        note: is told of every attempt that failed.
    """

    connect_seconds: float = 20.0
    stall_seconds: float = 60.0
    retries: int = 6
    pause_seconds: float = 1.0
    progress: Progress = _unseen
    note: Note = _unheard


MANNER = Manner()


@dataclass(frozen=True)
class Source:
    """Where a file comes from.

    Attributes:
        url: the address as it is shown and recorded.
        secret: name and value of a parameter that is sent, and neither shown nor recorded.
    """

    url: str
    secret: tuple[str, str] | None = field(default=None, repr=False)

    def address(self) -> str:
        """The address to ask for; not to be shown."""
        if self.secret is None:
            return self.url
        name, value = self.secret
        return f"{self.url}{'&' if '?' in self.url else '?'}{name}={quote(value, safe='')}"


@contextmanager
def unlogged(source: Source) -> Iterator[None]:
    """Keep the secret out of what the HTTP client logs: whole addresses, for one."""
    if source.secret is None:
        yield
        return
    hidden = {source.secret[1], quote(source.secret[1], safe="")}

    def hide(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        for text in hidden:
            message = message.replace(text, "...")
        record.msg, record.args = message, ()
        return True

    names = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
    loggers = [logging.getLogger(name) for name in names]
    for logger in loggers:
        logger.addFilter(hide)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(hide)


def client_of(source: Source, manner: Manner) -> httpx.Client:
    """An HTTP client that never leaves an encrypted connection for one that is not.

    Its requests raise DownloadError where they are redirected to such a one.
    """

    def stay_encrypted(request: httpx.Request) -> None:
        if source.url.startswith("https:") and request.url.scheme != "https":
            raise DownloadError(f"{source.url}: redirects to an address that is not encrypted")

    return httpx.Client(
        timeout=httpx.Timeout(manner.stall_seconds, connect=manner.connect_seconds),
        follow_redirects=True,
        headers={"User-Agent": "charthouse", "Accept-Encoding": "identity"},
        event_hooks={"request": [stay_encrypted]},
    )
