"""A warehouse, the run that writes it, and whether it equals one that nothing disturbed."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from flows.schema import RUNS
from flows.warehouse.check import check_warehouse
from flows.warehouse.connection import read_warehouse
from tests.flows.runs import COMMAND, charthouse, compared, contents, environment

Tables = dict[str, list[tuple[object, ...]]]

QUICK = ("--model", "none", "--dictionary", "sample")
"""A dictionary in place of a model: a run in seconds."""

DONE = (0, 3)
"""Exit codes of a run that did all: 3 where it met new rejects."""


@dataclass(frozen=True)
class Scene:
    """The same command, again and again: sources, warehouse, options and environment."""

    home: Path
    sources: Path
    warehouse: Path
    options: tuple[str, ...] = QUICK
    workers: int = 1
    # Small shards: more moments at which a fault can hurt.
    variables: dict[str, str] = field(
        default_factory=lambda: {"CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "5000"}
    )

    @property
    def arguments(self) -> list[str]:
        """The command line after the program's name."""
        workers = f"--workers={self.workers}"
        return ["run", str(self.sources), "-w", str(self.warehouse), *self.options, workers]

    def start(self) -> subprocess.Popen[bytes]:
        """Start the run and do not wait."""
        return subprocess.Popen(
            [*COMMAND, *self.arguments],
            env=environment(self.home, **self.variables),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run to the end."""
        return charthouse(self.home, *self.arguments, **self.variables)

    def on(self, warehouse: Path) -> Scene:
        """The same command on a copy of this scene's warehouse."""
        if self.warehouse.exists():
            shutil.copyfile(self.warehouse, warehouse)
        return replace(self, warehouse=warehouse)

    def breaches(self) -> list[str]:
        """Names of the checks that the warehouse breaches."""
        with read_warehouse(self.warehouse) as connection:
            return [finding.name for finding in check_warehouse(connection) if finding.breaches]

    def tables(self) -> Tables:
        """All rows, without what may differ between two runs."""
        return contents(self.warehouse)


def differences(found: Tables, expected: Tables, *, uncompared: Collection[str] = ()) -> list[str]:
    """Names of tables that are not those of the undisturbed run.

    A fault after the last commit leaves a finished run, and the run after it is one of its own:
    rows in ``runs`` beyond the expected ones may only have found everything done.
    """
    wrong = [
        name
        for name in sorted(expected.keys() | found.keys())
        if name not in {"runs", *uncompared} and found.get(name) != expected.get(name)
    ]
    if "runs" not in uncompared:
        missing = Counter(expected["runs"]) - Counter(found["runs"])
        more = Counter(found["runs"]) - Counter(expected["runs"])
        if missing or any(_worked(row) for row in more):
            wrong.append("runs")
    return wrong


def _worked(run: tuple[object, ...]) -> bool:
    """Whether a row of ``runs`` counts any document that was worked on, or did not end."""
    counts = dict(zip(compared(c.name for c in RUNS.columns), run, strict=True))
    worked = ("new", "replaced", "metadata_updated", "deleted")
    return counts["status"] != "done" or any(counts[name] for name in worked)
