"""Progress on the terminal, plain lines in a log, and a sidecar file that others can read."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_LINE_SECONDS = 10.0
_SIDECAR_SECONDS = 1.0


@dataclass(frozen=True)
class Status:
    """What the sidecar says: numbers and stage names only."""

    run_id: str
    pid: int
    stage: str
    done: int
    total: int | None
    unit: str
    rate: float
    started_at: float
    updated_at: float


class Reporter:
    """Shows one stage after another; a context manager."""

    def __init__(self, run_id: str, sidecar: Path | None, *, quiet: bool = False) -> None:
        """Report to standard error, and to ``sidecar`` once a second.

        Args:
            run_id: the run.
            sidecar: file that ``charthouse status`` reads while the warehouse is locked, if any.
            quiet: write the sidecar only.
        """
        self._run_id = run_id
        self._sidecar = sidecar
        self._quiet = quiet
        self._console = Console(stderr=True)
        self._live: Progress | None = None
        self._task: TaskID | None = None
        self._stage, self._unit = "", ""
        self._total: int | None = None
        self._already = 0
        self._started_at = time.time()
        self._began = self._last_line = self._last_sidecar = time.monotonic()

    def __enter__(self) -> Self:
        """Start the display."""
        if not self._quiet and self._console.is_terminal:
            self._live = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the display and remove the sidecar."""
        if self._live:
            self._live.stop()
        if self._sidecar:
            self._sidecar.unlink(missing_ok=True)

    def stage(self, name: str, unit: str, total: int | None, *, already: int = 0) -> None:
        """Begin a stage of ``total`` units (None = not known), some of them done ``already``."""
        self._stage, self._unit, self._total = name, unit, total
        self._already = already
        self._began = self._last_line = time.monotonic()
        if self._live:
            self._task = self._live.add_task(name, total=total, completed=already, rate="")
        self._write_sidecar(already, force=True)

    def done(self, count: int) -> None:
        """Say how many units of the stage are done."""
        clock = time.monotonic()
        rate = self._rate(count, clock)
        if self._live and self._task is not None:
            text = _speed(rate, self._unit)
            self._live.update(self._task, completed=count, rate=text)
        elif not self._quiet and clock - self._last_line >= _LINE_SECONDS:
            self._last_line = clock
            self.say(self._line(count, rate))
        self._write_sidecar(count)

    def end(self, count: int) -> None:
        """End the stage."""
        self.done(count)
        seconds = time.monotonic() - self._began
        if not self._live and not self._quiet:
            rate = (count - self._already) / max(seconds, 1e-3)
            self.say(f"{self._stage}: {count:,} {self._unit} in {seconds:.1f} s ({_speed(rate)})")
        elif self._live and self._task is not None:
            self._live.update(self._task, total=count, completed=count)

    def say(self, line: str) -> None:
        """Print a line of its own."""
        if self._live:
            self._live.console.print(line)
        elif not self._quiet:
            print(line, file=sys.stderr, flush=True)

    def _rate(self, count: int, clock: float) -> float:
        return (count - self._already) / max(clock - self._began, 1e-3)

    def _line(self, count: int, rate: float) -> str:
        line = f"{self._stage}: {count:,}"
        if self._total:
            line += f" of {self._total:,} {self._unit} ({count / self._total:.0%})"
            if not rate:
                return line
            line += f", {_speed(rate)}"
            # The first documents wait for models to load: a rate of so few foretells nothing.
            if (count - self._already) * 100 < self._total:
                return line
            return line + f", {_clock((self._total - count) / rate)} left"
        return line + f" {self._unit}, {_speed(rate)}"

    def _write_sidecar(self, count: int, *, force: bool = False) -> None:
        clock = time.monotonic()
        if not self._sidecar or (not force and clock - self._last_sidecar < _SIDECAR_SECONDS):
            return
        self._last_sidecar = clock
        rate = self._rate(count, clock)
        status = Status(
            self._run_id,
            os.getpid(),
            self._stage,
            count,
            self._total,
            self._unit,
            round(rate, 2),
            self._started_at,
            time.time(),
        )
        temporary = self._sidecar.with_suffix(".tmp")
        with suppress(OSError):  # a full disk: the run's own writing tells of it, if it must
            temporary.write_text(json.dumps(asdict(status)), encoding="utf-8")
            temporary.replace(self._sidecar)


def _speed(rate: float, unit: str = "") -> str:
    """By the minute where it is slower than one in ten seconds: 0.0/s tells nothing."""
    slow = 0 < rate < 0.1
    return f"{rate * 60 if slow else rate:,.1f} {unit}".rstrip() + ("/min" if slow else "/s")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
