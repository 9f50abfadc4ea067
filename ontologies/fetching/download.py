"""One file over HTTP, resumed where it broke off: the bytes, into a part beside the target."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import httpx

from ontologies.errors import OntologyError
from ontologies.fetching.answers import (
    TRY_LATER,
    AfreshError,
    NoServerError,
    TroubleError,
    connection_trouble,
    is_page,
    length_of,
    look_at,
    lost,
    page_came,
    refuse,
    unreachable,
)
from ontologies.fetching.beside import beside, read_json, write_json
from ontologies.fetching.errors import DownloadError
from ontologies.fetching.source import MANNER, Manner, Progress, Source, client_of, unlogged

_HEAD = 64
_LONGEST_PAUSE = 60.0
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


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
    with unlogged(source), client_of(source, manner) as client:
        while True:
            try:
                return _attempt(client, source, target, stream, manner.progress)
            except TroubleError as trouble:
                if isinstance(trouble, NoServerError) and not reached:
                    raise unreachable(source, trouble.reason) from None
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
                if isinstance(trouble, AfreshError):
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
    with unlogged(source), client_of(source, manner) as client:
        try:
            response = client.head(source.address())
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise unreachable(source, connection_trouble(error, source)) from None
        except httpx.TooManyRedirects:
            raise lost(source) from None
        except httpx.HTTPError:
            return None
    if response.status_code in (405, 416, 501) or response.status_code in TRY_LATER:
        return None
    if response.status_code != 200:
        refuse(response, source)
    if is_page(response, b""):
        raise page_came(source)
    return length_of(response)


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
                refuse(response, source)
            # Raw: some servers call a .gz file's own compression a content encoding.
            chunks = response.iter_raw()
            first = b""
            if start == 0:
                while len(first) < _HEAD and (chunk := next(chunks, b"")):
                    first += chunk
                look_at(first, response, source, target)
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
        raise NoServerError(connection_trouble(error, source)) from None
    except httpx.TimeoutException:
        raise TroubleError("the server sends nothing more") from None
    except httpx.TooManyRedirects:
        raise lost(source) from None
    except httpx.HTTPError:
        raise TroubleError("the connection broke") from None
    if known.total is not None and done != known.total:
        raise AfreshError("the file is longer or shorter than the server said")
    return known


def _same_file(response: httpx.Response, start: int, known: Marks | None) -> Marks:
    """The marks of a part that the rest fits to. Some servers pay no heed to ``If-Range``."""
    changed = AfreshError("the file changed at the server")
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
    return Marks(source.url, headers.get("ETag"), headers.get("Last-Modified"), length_of(response))


def _read_marks(path: Path, source: Source) -> Marks | None:
    stored = read_json(path)
    if not stored or stored.get("url") != source.url:
        return None
    try:
        return Marks(**stored)
    except TypeError:
        return None


def _check_room(target: Path, start: int, total: int | None) -> None:
    if total is None:
        return
    free = shutil.disk_usage(target.parent).free
    if total - start > free:
        raise OntologyError(
            f"{target.parent}: {target.name} needs {(total - start) / 1e9:,.2f} GB more, "
            f"{free / 1e9:,.2f} GB are free; make room, or choose another folder with --out"
        )
