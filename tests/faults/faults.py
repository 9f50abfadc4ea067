"""Faults that need no privileges: each begins a run and strikes it once, or twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from flows.settings import ExecutionSettings
from flows.work import WorkFolder
from tests.faults.moments import MOMENTS, look, soon, stage_of, wait_for
from tests.faults.processes import kill_run, servers_of, workers_of
from tests.faults.scene import Scene

LONGEST_RUN = 300.0
"""Seconds after which a run that was struck counts as hanging."""

STALL_SECONDS = 20
"""So long a worker may stand still in these runs, where charthouse looks for that."""


class Hanging(Exception):
    """A run did not end by itself, or left processes behind."""


@dataclass(frozen=True)
class Strike:
    """What a fault is given: the run to begin, how long it takes undisturbed, and chance."""

    scene: Scene
    seconds: float
    chance: random.Random

    def start(self) -> subprocess.Popen[bytes]:
        """Begin the run."""
        return self.scene.start()

    def where(self) -> str:
        """The stage that the run is in, by its files."""
        return stage_of(look(self.scene.warehouse))

    def at(self, process: subprocess.Popen[bytes], *moments: str) -> None:
        """Wait for one of the moments, and a little longer; or for the end of the run."""
        moment = self.chance.choice(moments)
        wait_for(moment, process, self.scene.warehouse, LONGEST_RUN, soon(self.chance))


Fault = Callable[[Strike], str]
"""Begins a run, strikes it, sees it end, and tells in which stage it was struck."""


def _kill(process: subprocess.Popen[bytes]) -> None:
    if left := kill_run(process):
        raise Hanging(f"{len(left)} processes outlive the run")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(LONGEST_RUN)
    except subprocess.TimeoutExpired:
        kill_run(process)
        raise Hanging("the run does not end") from None


def killed_at_random(strike: Strike) -> str:
    """SIGKILL of the main process at any time."""
    process = strike.start()
    time.sleep(strike.seconds * strike.chance.uniform(0.15, 1.05))
    where = strike.where()
    _kill(process)
    return where


def killed_at_a_moment(strike: Strike) -> str:
    """SIGKILL of the main process at a named moment."""
    process = strike.start()
    strike.at(process, *MOMENTS)
    where = strike.where()
    _kill(process)
    return where


def killed_twice(strike: Strike) -> str:
    """SIGKILL of the main process, and of the one that goes on."""
    first = killed_at_a_moment(strike)
    return f"{first}, {killed_at_a_moment(strike)}"


def asked_to_stop(strike: Strike) -> str:
    """SIGINT or SIGTERM."""
    process = strike.start()
    strike.at(process, *MOMENTS)
    where = strike.where()
    process.send_signal(strike.chance.choice([signal.SIGINT, signal.SIGTERM]))
    _end(process)
    return where


def worker_killed(strike: Strike) -> str:
    """SIGKILL of a worker: the run must end by itself."""
    return _strike_worker(strike, signal.SIGKILL)


def worker_stopped(strike: Strike) -> str:
    """SIGSTOP of a worker: the run must find out, and end by itself."""
    variables = {"CHARTHOUSE_EXECUTION__STALL_SECONDS": str(STALL_SECONDS)}
    scene = replace(strike.scene, variables=strike.scene.variables | variables)
    return _strike_worker(replace(strike, scene=scene), signal.SIGSTOP)


def _strike_worker(strike: Strike, number: signal.Signals) -> str:
    process = strike.start()
    strike.at(process, "annotating", "staging", "half loaded")
    where = strike.where()
    workers = workers_of(process.pid)
    if workers:
        send(strike.chance.choice(workers), number)
    _end(process)
    return where if workers else "no worker"


def send(pid: int, number: signal.Signals) -> None:
    """A signal to a process that may have ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def server_killed(strike: Strike) -> str:
    """SIGKILL of the run's own Prefect server: the run ends, done or not."""
    variables = {n: v for n, v in strike.scene.variables.items() if n != "PREFECT_API_URL"}
    strike = replace(strike, scene=replace(strike.scene, variables=variables))
    process = strike.start()
    strike.at(process, "reading", "annotating", "half loaded", "all loaded")
    where = strike.where()
    for server in servers_of(process.pid):
        send(server, signal.SIGKILL)
    _end(process)
    return where


def staged_file_truncated(strike: Strike) -> str:
    """SIGKILL while annotated shards wait, and one of their files is cut."""
    return _damage(strike, lambda path: path.write_bytes(path.read_bytes()[:-3]), "staged")


def staged_file_altered(strike: Strike) -> str:
    """SIGKILL while annotated shards wait, and a byte of one of their files changes."""
    return _damage(strike, lambda path: _alter(path, strike.chance), "staged")


def shard_file_altered(strike: Strike) -> str:
    """SIGKILL while shards wait to be annotated, and a byte of one changes."""
    return _damage(strike, lambda path: _alter(path, strike.chance), "shards")


def _damage(strike: Strike, damage: Callable[[Path], object], folder: str) -> str:
    process = strike.start()
    strike.at(process, "staged" if folder == "staged" else "annotating")
    where = strike.where()
    _kill(process)
    root = WorkFolder.beside(strike.scene.warehouse).root
    files = sorted(root.glob(f"*/{folder}/**/*.parquet")) + sorted(root.glob("*/staged/*/*.json"))
    if not files:
        return f"{where}, no file"
    damage(strike.chance.choice(files))
    return where


def staged_file_altered_at_work(strike: Strike) -> str:
    """A byte of a staged file changes under the running writer: the run ends, done or not."""
    process = strike.start()
    strike.at(process, "renaming")
    where = strike.where()
    root = WorkFolder.beside(strike.scene.warehouse).root
    for path in sorted(root.glob("*/staged/*/mentions.parquet"))[:1]:
        try:
            _alter(path, strike.chance)
        except OSError:
            where = "loaded already"
    _end(process)
    return where


def _alter(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    with path.open("r+b") as file:  # in place: a name that is gone is not made again
        file.write(content)


def work_folder_removed(strike: Strike) -> str:
    """SIGKILL, and all that the run kept beside the warehouse is gone."""
    process = strike.start()
    strike.at(process, "plan stored", "annotating", "half loaded", "all loaded")
    where = strike.where()
    _kill(process)
    shutil.rmtree(WorkFolder.beside(strike.scene.warehouse).root, ignore_errors=True)
    return where


FAULTS: dict[str, Fault] = {
    "main process killed at random": killed_at_random,
    "main process killed at a moment": killed_at_a_moment,
    "main process killed twice": killed_twice,
    "asked to stop": asked_to_stop,
    "worker killed": worker_killed,
    "Prefect server killed": server_killed,
    "staged file truncated": staged_file_truncated,
    "staged file altered": staged_file_altered,
    "staged file altered at work": staged_file_altered_at_work,
    "shard file altered": shard_file_altered,
    "work folder removed": work_folder_removed,
}
"""Faults by name."""

if "stall_seconds" in ExecutionSettings.model_fields:
    FAULTS["worker stopped"] = worker_stopped

PLANNED_ANEW = {"shard file altered", "work folder removed"}
"""Faults after which a run is given up and its documents are planned anew: then ``runs`` and
``shards`` tell of both, and are not compared."""
