"""Processes of their own that hold a warehouse, or do something to it, in tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("held", flush=True)
time.sleep(float(sys.argv[3]))
connection.close()
"""


@contextmanager
def held(path: Path, *, to_read: bool = False, seconds: float = 120) -> Iterator[int]:
    """Another process holds the file for so long or to the end of the block; gives its id."""
    mode = "read" if to_read else "write"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path), mode, str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        yield holder.pid
    finally:
        holder.kill()
        holder.wait()


def start(code: str, *arguments: str | Path, stdin: str = "") -> subprocess.Popen[str]:
    """Start Python code in a process of its own; what it prints can be read."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(stdin + "\n")
    process.stdin.flush()
    return process


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a process that must succeed; gives what it printed."""
    printed, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    return printed
