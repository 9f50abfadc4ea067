"""SIGKILL at random moments, then the same command again: the tables of an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from flows.bundled import SAMPLE_SOURCES
from tests.flows.runs import COMMAND, charthouse, contents, environment

MOMENTS = 10
SEED = 20261
# Small shards: more moments at which a kill can hurt.
SMALL = {"CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "10000"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def arguments(warehouse: Path) -> list[str]:
    sources = [str(path) for path in SAMPLE_SOURCES]
    return ["run", *sources, "--warehouse", str(warehouse), "--workers", "2"]


def children_of(pid: int) -> set[int]:
    """Process ids below a process, of any depth."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found, grown = {pid}, True
    while grown:
        below = {child for child, parent in parents.items() if parent in found}
        grown = not below <= found
        found |= below
    return found - {pid}


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object], float]:
    """Home folder, tables and seconds of a run that nothing disturbs."""
    home = tmp_path_factory.mktemp("undisturbed")
    charthouse(home, *arguments(home / "first.duckdb"), **SMALL)  # makes caches and migrations
    began = time.monotonic()
    done = charthouse(home, *arguments(home / "w.duckdb"), **SMALL)
    assert done.returncode == 0, done.stderr
    return home, dict(contents(home / "w.duckdb")), time.monotonic() - began


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_killed_and_run_again_gives_the_same_tables(
    undisturbed: tuple[Path, dict[str, object], float], tmp_path: Path, moment: int
) -> None:
    home, expected, seconds = undisturbed
    warehouse = tmp_path / "w.duckdb"
    chance = random.Random(SEED + moment)
    process = subprocess.Popen(
        [*COMMAND, *arguments(warehouse)],
        env=environment(home, **SMALL),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # The first fifth of a run is spent on imports: nothing is written yet.
    time.sleep(seconds * chance.uniform(0.2, 1.0))
    below = children_of(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 10
    while any(map(alive, below)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in below if alive(pid)], "processes outlive the run"

    done = charthouse(home, *arguments(warehouse), **SMALL)
    assert done.returncode == 0, done.stderr
    found = contents(warehouse)
    # A kill after the last commit leaves a finished run, and the second is one of its own.
    runs = found.pop("runs")
    assert runs[:1] == expected["runs"] or len(runs) == 2  # type: ignore[index]
    for table, rows in found.items():
        assert rows == expected[table], table
