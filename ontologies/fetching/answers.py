"""What the answers of a server mean: the file, a refusal, or something to try again after."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NoReturn

import httpx

from ontologies.fetching.errors import (
    DownloadError,
    MissingError,
    RefusedError,
    UnreachableError,
)
from ontologies.fetching.source import Source

KINDS = {".gz": "gzip file", ".zip": "zip archive"}
_MAGIC = {".gz": b"\x1f\x8b", ".zip": b"PK\x03\x04"}
_ERRNO = re.compile(r"\[Errno -?\d+\] ?")
TRY_LATER = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Statuses after which another attempt may bring the file."""


class TroubleError(Exception):
    """An attempt failed; the next one may not."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        """``reason`` in words; ``wait`` seconds, if the server says so."""
        super().__init__(reason)
        self.reason, self.wait = reason, wait


class NoServerError(TroubleError):
    """No connection came about."""


class AfreshError(TroubleError):
    """The part does not belong to the server's file."""


def length_of(response: httpx.Response) -> int | None:
    """Bytes of the answer's body, where it says."""
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def refuse(response: httpx.Response, source: Source) -> NoReturn:
    """Raise what an answer other than the file means.

    Raises:
        TroubleError: another attempt may bring the file.
        DownloadError: none will.
    """
    status = response.status_code
    if status == 416:
        raise AfreshError("the server has no such range")
    if status in (404, 410):
        raise MissingError(f"{source.url}: no such file (status {status})")
    if status in (400, 401, 403):
        raise RefusedError(f"{source.url}: refused (status {status})")
    if status in TRY_LATER:
        wait = response.headers.get("Retry-After", "")
        raise TroubleError(
            f"the server answers with status {status}", float(wait) if wait.isdecimal() else 0.0
        )
    raise DownloadError(f"{source.url}: the server answers with status {status}")


def look_at(first: bytes, response: httpx.Response, source: Source, target: Path) -> None:
    """Refuse what is not the file before all of it is downloaded.

    Raises:
        DownloadError: it begins like something else.
    """
    if first.startswith(_MAGIC[target.suffix]):
        return
    if is_page(response, first):
        raise page_came(source)
    if not first:
        raise DownloadError(f"{source.url}: the server sent an empty file; try again later")
    raise DownloadError(
        f"{source.url}: what the server sent is no {KINDS[target.suffix]}; look at that address "
        "in a browser"
    )


def is_page(response: httpx.Response, head: bytes) -> bool:
    """Whether an answer is a web page, by its type or its first bytes."""
    if response.headers.get("Content-Type", "").lower().startswith("text/html"):
        return True
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html"))


def page_came(source: Source) -> MissingError:
    """The error of a web page in place of the file."""
    return MissingError(f"{source.url}: a web page came instead of the file")


def unreachable(source: Source, reason: str) -> UnreachableError:
    """The error of a server that does not answer."""
    return UnreachableError(f"{source.url}: cannot be reached ({reason})")


def lost(source: Source) -> DownloadError:
    """The error of redirections without an end."""
    return DownloadError(f"{source.url}: is redirected in circles; look at it in a browser")


def connection_trouble(error: httpx.HTTPError, source: Source) -> str:
    """Why no connection came about, in words.

    Raises:
        DownloadError: the certificate is not trusted, which no further attempt changes.
    """
    reason = _ERRNO.sub("", str(error)).strip() or "no answer"
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        raise DownloadError(
            f"{source.url}: the server's certificate is not trusted; where a proxy inspects "
            "traffic, set SSL_CERT_FILE to your organisation's certificates"
        ) from None
    return reason
