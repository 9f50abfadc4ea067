"""Processes below a run, found from outside."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.flows.runs import COMMAND


def _parents() -> Iterator[tuple[int, int]]:
    """All processes, each with its parent."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            yield int(entry.name), int(fields[1])


def begin(
    arguments: tuple[str | Path, ...] | list[str], warehouse: Path, variables: Mapping[str, str]
) -> subprocess.Popen[str]:
    """Start the command and wait until documents are being annotated."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    work = warehouse.with_name(warehouse.name + ".work")
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and not list(work.glob("*/progress/*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


def children_of(pid: int) -> set[int]:
    """Process ids below a process, of any depth."""
    parents = dict(_parents())
    found, grown = {pid}, True
    while grown:
        below = {child for child, parent in parents.items() if parent in found}
        grown = not below <= found
        found |= below
    return found - {pid}


def _with_command(pid: int, word: bytes) -> list[int]:
    found = []
    for child, parent in _parents():
        try:
            if parent == pid and word in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
        except OSError:
            continue
    return sorted(found)


def workers_of(pid: int) -> list[int]:
    """Pool workers of a run: children started by multiprocessing's spawn."""
    return _with_command(pid, b"spawn_main")


def servers_of(pid: int) -> list[int]:
    """The temporary Prefect server of a run, if it has one."""
    return _with_command(pid, b"flows.prefect_server")


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill_run(process: subprocess.Popen[bytes], seconds: float = 10.0) -> list[int]:
    """SIGKILL to the main process alone; gives those below it that outlive it for so long."""
    below = children_of(process.pid)
    process.kill()  # nothing where it has ended
    process.wait()
    deadline = time.monotonic() + seconds
    while any(map(alive, below)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [pid for pid in below if alive(pid)]
