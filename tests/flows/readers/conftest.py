from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.readers import READERS
from flows.readers.discover import discover
from flows.readers.record import Record

Read = Callable[..., list[Record]]


@pytest.fixture(scope="session")
def read() -> Read:
    """Read a file as the command line would: discovered, mapped, checked."""

    def read_file(
        path: Path, format: str = "auto", columns: dict[str, str] | None = None
    ) -> list[Record]:
        (file,) = discover([str(path)], format=format, columns=columns)
        return list(READERS[file.format].read(file))

    return read_file
