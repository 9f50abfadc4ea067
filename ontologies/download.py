"""One file over HTTP, resumed where it broke off: the bytes, into a part beside the target."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NoReturn
from urllib.parse import quote

import httpx

from ontologies.errors import OntologyError

Progress = Callable[[str, int, int | None], None]
"""Is told what is going on, and bytes done of bytes in all (None = not known)."""
Note = Callable[[str], None]
"""Is told, in one line, that something went wrong and is tried again."""

KINDS = {".gz": "gzip file", ".zip": "zip archive"}
_MAGIC = {".gz": b"\x1f\x8b", ".zip": b"PK\x03\x04"}
_HEAD = 64
_LONGEST_PAUSE = 60.0
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_ERRNO = re.compile(r"\[Errno -?\d+\] ?")
_TRY_LATER = frozenset((408, 425, 429, 500, 502, 503, 504))


class DownloadError(OntologyError):
    """A file did not come."""


class MissingError(DownloadError):
    """The server has no such file, or sends a web page in its place."""


class RefusedError(DownloadError):
    """The server does not let us in."""


class UnreachableError(DownloadError):
    """No server answers: there is no network, or none that leads there."""


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


@dataclass(frozen=True)
class Marks:
    """What tells whether a part belongs to the file that the server has now."""

    url: str
    etag: str | None
    last_modified: str | None
    total: int | None

    def validator(self) -> str | None:
        """What to send as ``If-Range``."""
        # A weak ETag allows other bytes, so it cannot vouch for the first half.
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified


class _TroubleError(Exception):
    """An attempt failed; the next one may not."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.wait = reason, wait


class _NoServerError(_TroubleError):
    pass


class _AfreshError(_TroubleError):
    """The part does not belong to the server's file."""


@contextmanager
def held(target: Path) -> Iterator[BinaryIO]:
    """The part of a file, ``NAME.part``, open for appending by one process at a time.

    A part that is empty at the end is removed.

    Raises:
        DownloadError: another process holds it.
    """
    part = beside(target, ".part")
    with part.open("ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between opening and locking, another process may have finished and renamed it.
            if not part.exists() or not os.path.samestat(os.fstat(stream.fileno()), part.stat()):
                raise BlockingIOError
        except BlockingIOError:
            raise DownloadError(
                f"{target}: another process is downloading it; wait for that one"
            ) from None
        try:
            yield stream
        finally:
            if size_of(stream) == 0:
                part.unlink(missing_ok=True)
                forget(target)


def transfer(source: Source, target: Path, stream: BinaryIO, *, manner: Manner = MANNER) -> Marks:
    """Bring all bytes of a ``.gz`` or ``.zip`` file into its part.

    What the server said of the file is kept in ``NAME.part.json``. A broken download goes on
    where it stopped, in this call or a later one, as long as the server has the same file;
    otherwise it starts afresh.

    Args:
        source: where the file comes from.
        target: what it will be; its suffix tells what it has to begin with.
        stream: its part, see :func:`held`.
        manner: how long to wait, how often to try.

    Raises:
        MissingError: the server has no such file, or sends a web page for it.
        RefusedError: the server wants other credentials.
        UnreachableError: no server answers at all.
        DownloadError: it broke off too often, or is something else.
        OntologyError: there is no room for it.
        OSError: the part cannot be written.
    """
    furthest, failures, reached = size_of(stream), 0, False
    with _unlogged(source), _client(source, manner) as client:
        while True:
            try:
                return _attempt(client, source, target, stream, manner.progress)
            except _TroubleError as trouble:
                if isinstance(trouble, _NoServerError) and not reached:
                    raise _unreachable(source, trouble.reason) from None
                reached, size = True, size_of(stream)
                if size > furthest:
                    furthest, failures = size, 0
                failures += 1
                if failures > manner.retries:
                    kept = f"; the first {size:,} bytes are kept" if size else ""
                    raise DownloadError(
                        f"{source.url}: {trouble.reason}, {failures} times in a row{kept}; run "
                        "the same command again later"
                    ) from None
                if isinstance(trouble, _AfreshError):
                    empty(stream)
                pause = min(manner.pause_seconds * 2 ** (failures - 1), _LONGEST_PAUSE)
                pause = max(pause, min(trouble.wait, _LONGEST_PAUSE))
                manner.note(
                    f"{target.name}: {trouble.reason} at byte {size:,}; trying again in "
                    f"{pause:.0f} s ({failures} of {manner.retries})"
                )
                time.sleep(pause)


def look(source: Source, *, manner: Manner = MANNER) -> int | None:
    """The size of the server's file, as it says; None where it does not.

    Raises:
        MissingError, RefusedError, UnreachableError: as :func:`transfer`.
        DownloadError: the answer is of no use.
    """
    with _unlogged(source), _client(source, manner) as client:
        try:
            response = client.head(source.address())
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise _unreachable(source, _connection_trouble(error, source)) from None
        except httpx.TooManyRedirects:
            raise _lost(source) from None
        except httpx.HTTPError:
            return None
    if response.status_code in (405, 416, 501) or response.status_code in _TRY_LATER:
        return None
    if response.status_code != 200:
        _refuse(response, source)
    if _is_page(response, b""):
        raise _page(source)
    return _length(response)


def forget(target: Path) -> None:
    """Remove what the server said of the file."""
    beside(target, ".part.json").unlink(missing_ok=True)


def size_of(stream: BinaryIO) -> int:
    """Bytes in a part."""
    stream.flush()
    return os.fstat(stream.fileno()).st_size


def empty(stream: BinaryIO) -> None:
    """Throw the bytes of a part away."""
    if size_of(stream):
        stream.truncate(0)


def beside(path: Path, suffix: str) -> Path:
    """A file beside another, named after it."""
    return path.with_name(path.name + suffix)


def read_json(path: Path) -> dict[str, Any] | None:
    """A small JSON object; None if it is not there or not readable as one."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return stored if isinstance(stored, dict) else None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a small JSON object in one step."""
    temporary = beside(path, ".tmp")
    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def _attempt(
    client: httpx.Client, source: Source, target: Path, stream: BinaryIO, progress: Progress
) -> Marks:
    """One request, for all of the file or for what is missing."""
    stored = beside(target, ".part.json")
    start, known = size_of(stream), _read_marks(stored, source)
    if start and known and start == known.total:
        return known
    headers = {}
    if start and known and (validator := known.validator()):
        headers = {"Range": f"bytes={start}-", "If-Range": validator}
    else:
        start = 0
    try:
        with client.stream("GET", source.address(), headers=headers) as response:
            if start and response.status_code == 206:
                known = _same_file(response, start, known)
            elif response.status_code == 200:
                start, known = 0, _marks_of(response, source)
            else:
                _refuse(response, source)
            # Raw: some servers call a .gz file's own compression a content encoding.
            chunks = response.iter_raw()
            first = b""
            if start == 0:
                while len(first) < _HEAD and (chunk := next(chunks, b"")):
                    first += chunk
                _look_at(first, response, source, target)
                empty(stream)
                write_json(stored, asdict(known))
            _check_room(target, start, known.total)
            done = start
            progress(target.name, done, known.total)
            for chunk in chain((first,), chunks):
                stream.write(chunk)
                done += len(chunk)
                progress(target.name, done, known.total)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise _NoServerError(_connection_trouble(error, source)) from None
    except httpx.TimeoutException:
        raise _TroubleError("the server sends nothing more") from None
    except httpx.TooManyRedirects:
        raise _lost(source) from None
    except httpx.HTTPError:
        raise _TroubleError("the connection broke") from None
    if known.total is not None and done != known.total:
        raise _AfreshError("the file is longer or shorter than the server said")
    return known


def _same_file(response: httpx.Response, start: int, known: Marks | None) -> Marks:
    """The marks of a part that the rest fits to. Some servers pay no heed to ``If-Range``."""
    changed = _AfreshError("the file changed at the server")
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if known is None or match is None or int(match[1]) != start:
        raise changed
    total = known.total if match[2] == "*" else int(match[2])
    if known.total is not None and total != known.total:
        raise changed
    etag = response.headers.get("ETag")
    if etag and known.etag and etag != known.etag:
        raise changed
    return replace(known, total=total)


def _marks_of(response: httpx.Response, source: Source) -> Marks:
    headers = response.headers
    return Marks(source.url, headers.get("ETag"), headers.get("Last-Modified"), _length(response))


def _read_marks(path: Path, source: Source) -> Marks | None:
    stored = read_json(path)
    if not stored or stored.get("url") != source.url:
        return None
    try:
        return Marks(**stored)
    except TypeError:
        return None


def _length(response: httpx.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _refuse(response: httpx.Response, source: Source) -> NoReturn:
    """Raise what an answer other than the file means."""
    status = response.status_code
    if status == 416:
        raise _AfreshError("the server has no such range")
    if status in (404, 410):
        raise MissingError(f"{source.url}: no such file (status {status})")
    if status in (400, 401, 403):
        raise RefusedError(f"{source.url}: refused (status {status})")
    if status in _TRY_LATER:
        wait = response.headers.get("Retry-After", "")
        raise _TroubleError(
            f"the server answers with status {status}", float(wait) if wait.isdecimal() else 0.0
        )
    raise DownloadError(f"{source.url}: the server answers with status {status}")


def _look_at(first: bytes, response: httpx.Response, source: Source, target: Path) -> None:
    """Refuse what is not the file before all of it is downloaded."""
    if first.startswith(_MAGIC[target.suffix]):
        return
    if _is_page(response, first):
        raise _page(source)
    if not first:
        raise DownloadError(f"{source.url}: the server sent an empty file; try again later")
    raise DownloadError(
        f"{source.url}: what the server sent is no {KINDS[target.suffix]}; look at that address "
        "in a browser"
    )


def _is_page(response: httpx.Response, head: bytes) -> bool:
    if response.headers.get("Content-Type", "").lower().startswith("text/html"):
        return True
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html"))


def _page(source: Source) -> MissingError:
    return MissingError(f"{source.url}: a web page came instead of the file")


def _unreachable(source: Source, reason: str) -> UnreachableError:
    return UnreachableError(f"{source.url}: cannot be reached ({reason})")


def _lost(source: Source) -> DownloadError:
    return DownloadError(f"{source.url}: is redirected in circles; look at it in a browser")


def _connection_trouble(error: httpx.HTTPError, source: Source) -> str:
    reason = _ERRNO.sub("", str(error)).strip() or "no answer"
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        raise DownloadError(
            f"{source.url}: the server's certificate is not trusted; where a proxy inspects "
            "traffic, set SSL_CERT_FILE to your organisation's certificates"
        ) from None
    return reason


def _check_room(target: Path, start: int, total: int | None) -> None:
    if total is None:
        return
    free = shutil.disk_usage(target.parent).free
    if total - start > free:
        raise OntologyError(
            f"{target.parent}: {target.name} needs {(total - start) / 1e9:,.2f} GB more, "
            f"{free / 1e9:,.2f} GB are free; make room, or choose another folder with --out"
        )


@contextmanager
def _unlogged(source: Source) -> Iterator[None]:
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


def _client(source: Source, manner: Manner) -> httpx.Client:
    def stay_encrypted(request: httpx.Request) -> None:
        if source.url.startswith("https:") and request.url.scheme != "https":
            raise DownloadError(f"{source.url}: redirects to an address that is not encrypted")

    return httpx.Client(
        timeout=httpx.Timeout(manner.stall_seconds, connect=manner.connect_seconds),
        follow_redirects=True,
        headers={"User-Agent": "charthouse", "Accept-Encoding": "identity"},
        event_hooks={"request": [stay_encrypted]},
    )
