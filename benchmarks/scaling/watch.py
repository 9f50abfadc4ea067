"""Watching a run from outside, through /proc: memory and CPU of its processes, its files."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_SECONDS = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")
_FILES_EVERY = 5


@dataclass
class Watched:
    """What was seen of a run.

    Attributes:
        memory: time and resident bytes of the main process.
        cpu: role and CPU seconds, as last seen, of other processes, by process id.
        timeline: time and CPU seconds of all processes of each role up to it.
        files: most bytes seen at once in each folder of the run in the work folder.
    """

    memory: list[tuple[float, int]] = field(default_factory=list)
    cpu: dict[int, tuple[str, float]] = field(default_factory=dict)
    timeline: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)

    def of_role(self, role: str, begin: float, end: float) -> float:
        """CPU seconds of all processes of a role between two times, as well as was sampled."""
        until = [(at, roles.get(role, 0.0)) for at, roles in self.timeline]
        before = max((seconds for at, seconds in until if at <= begin), default=0.0)
        after = max((seconds for at, seconds in until if at <= end + 1.0), default=0.0)
        return max(0.0, after - before)

    def peak(self, begin: float = 0.0, end: float = float("inf")) -> int:
        """Most resident bytes of the main process between two times; 0 if it was not looked at."""
        return max((rss for at, rss in self.memory if begin <= at <= end), default=0)


class Watch:
    """Samples a process and its descendants in a thread, until it is closed."""

    def __init__(self, pid: int, work: Path) -> None:
        self.seen = Watched()
        self._pid, self._work = pid, work
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def close(self) -> Watched:
        """Stop sampling."""
        self._done.set()
        self._thread.join()
        return self.seen

    def _look(self) -> None:
        turn = 0
        while not self._done.wait(SAMPLE_SECONDS):
            if rss := _resident(self._pid):
                self.seen.memory.append((time.time(), rss))
            if turn % _FILES_EVERY == 0:
                for pid in _descendants(self._pid):
                    if (seconds := _cpu_seconds(pid)) is not None:
                        # One that has just begun, or ended, has no command line to tell it by.
                        role = _role(pid) or self.seen.cpu.get(pid, ("other", 0.0))[0]
                        self.seen.cpu[pid] = (role, seconds)
                roles: dict[str, float] = {}
                for role, seconds in self.seen.cpu.values():
                    roles[role] = roles.get(role, 0.0) + seconds
                self.seen.timeline.append((time.time(), roles))
                self._look_at_files()
            turn += 1

    def _look_at_files(self) -> None:
        sizes: dict[str, int] = {}
        for folder, _, files in os.walk(self._work):
            parts = Path(folder).relative_to(self._work).parts
            name = parts[1] if len(parts) > 1 else "."
            for file in files:
                try:
                    size = Path(folder, file).stat().st_size
                except OSError:
                    continue  # loaded and removed just now
                sizes[name] = sizes.get(name, 0) + size
        for name, size in sizes.items():
            self.seen.files[name] = max(self.seen.files.get(name, 0), size)


def _resident(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _cpu_seconds(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _descendants(pid: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (parent := _parent(folder)):
            children.setdefault(parent, []).append(int(folder.name))
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        yield from below
        waiting += below


def _parent(process: Path) -> int | None:
    try:
        stat = (process / "stat").read_text("ascii", "replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


def _role(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    if not command:
        return ""
    if b"flows.prefect_server" in command:
        return "server"
    return "worker" if b"spawn_main" in command else "other"
