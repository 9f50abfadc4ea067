"""Binary resources of a Bulk Data export, found by id: ``Binary*.ndjson`` beside the notes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_PATTERN = "Binary*.ndjson"
_PLACE = re.compile(r"(?:^|/)Binary/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[^/?#]+)?$")
_BOM = b"\xef\xbb\xbf"
_FILES_KEPT = 4096
"""Indexes kept per process: exports cut their notes into many files, all beside the same ones."""


@dataclass(frozen=True, slots=True)
class _Index:
    """Digests of a file's ids, sorted, and where their lines begin: 16 bytes a resource."""

    digests: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]


def binary_id(url: str) -> str | None:
    """The id where a URL, relative or not, is one of a Binary."""
    place = _PLACE.search(url)
    return place["id"] if place else None


def find_binary(native_id: str, beside: Path, folder: Path) -> Mapping[str, Any] | None:
    """The Binary of an id; None where no ``Binary*.ndjson`` beside a file has it.

    Each file is read once per process and kept as an index, so one line is in memory at a time.
    Compressed files are not searched.

    Args:
        native_id: its id.
        beside: the file with the reference.
        folder: what the searched files must lie in, links followed.

    Raises:
        OSError: a file cannot be read.
    """
    for path in sorted(beside.parent.glob(_PATTERN)):
        real = path.resolve()
        if not (real.is_file() and real.is_relative_to(folder.resolve())):
            continue
        state = real.stat()
        index = _index(real, state.st_size, state.st_mtime_ns)
        digest = _digest(native_id)
        first, last = (np.searchsorted(index.digests, digest, side) for side in ("left", "right"))
        for offset in index.offsets[first:last]:
            with real.open("rb") as file:
                file.seek(int(offset))
                resource = _resource(file.readline())
            if resource is not None and resource["id"] == native_id:
                return resource
    return None


@lru_cache(maxsize=_FILES_KEPT)
def _index(path: Path, size: int, changed: int) -> _Index:
    """The index of a file; its size and time of change are a key of the cache."""
    found = np.fromiter(_lines(path), dtype=[("digest", np.uint64), ("offset", np.int64)])
    found = found[np.argsort(found["digest"], kind="stable")]
    return _Index(found["digest"].copy(), found["offset"].copy())


def _lines(path: Path) -> Iterator[tuple[np.uint64, int]]:
    offset = 0
    with path.open("rb") as file:
        for line in file:
            resource = _resource(line)
            if resource is not None:
                yield _digest(resource["id"]), offset
            offset += len(line)


def _resource(line: bytes) -> dict[str, Any] | None:
    """The Binary of a line, None where it holds none with an id."""
    try:
        value = json.loads(line.removeprefix(_BOM))
    except (ValueError, RecursionError):
        return None
    is_binary = isinstance(value, dict) and value.get("resourceType") == "Binary"
    return value if is_binary and isinstance(value.get("id"), str) else None


def _digest(native_id: str) -> np.uint64:
    raw = native_id.encode("utf-8", "surrogatepass")
    return np.uint64(int.from_bytes(blake2b(raw, digest_size=8).digest()))
