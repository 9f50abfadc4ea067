"""Open a release file, compressed or not."""

from __future__ import annotations

import gzip
from io import BufferedReader
from pathlib import Path
from typing import cast


def open_stream(path: Path) -> BufferedReader:
    """The content of a plain or gzip file; gzip is told by its magic number, not its name."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    # GzipFile reads like any buffered reader, though it does not inherit from it.
    return cast(BufferedReader, gzip.open(path, "rb")) if zipped else path.open("rb")
