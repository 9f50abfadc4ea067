"""One measured run of the command: what its stages, processes and files took."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scaling.child import STAGES
from scaling.standin import VARIABLE, Replay
from scaling.watch import Watch, Watched

HERE = Path(__file__).resolve().parent.parent

TIMED = ("start Prefect", *STAGES, "summary")
"""One after another, from the process's start to its end."""


@dataclass(frozen=True)
class Span:
    """Wall seconds of all times a function ran, CPU seconds of the main process meanwhile.

    ``begin`` and ``end`` are when it first began and last ended.
    """

    wall: float = 0.0
    cpu: float = 0.0
    times: int = 0
    begin: float = 0.0
    end: float = 0.0


@dataclass
class Measured:
    """A run.

    Attributes:
        documents, characters, shards, mentions, names: in the warehouse afterwards; names are
            distinct and linked.
        wall, cpu: seconds of the whole command; CPU of the main process alone.
        spans: by what was timed.
        watched: memory, other processes and files.
        shard_log: per shard when its worker began and ended, and its CPU seconds.
        worker_start: CPU seconds of all annotating workers until they were ready.
        names_cpu: CPU seconds of linking names, in workers.
        in_flight, bound: most shards in flight at once, and how many might be.
        warehouse_bytes, prefect_bytes, prefect_rows: on disk afterwards.
    """

    documents: int = 0
    characters: int = 0
    shards: int = 0
    mentions: int = 0
    names: int = 0
    wall: float = 0.0
    cpu: float = 0.0
    spans: dict[str, Span] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    watched: Watched = field(default_factory=Watched)
    shard_log: list[dict[str, float]] = field(default_factory=list)
    worker_start: float = 0.0
    names_cpu: float = 0.0
    in_flight: int = 0
    bound: int = 0
    warehouse_bytes: int = 0
    prefect_bytes: int = 0
    prefect_rows: int = 0

    def span(self, name: str) -> Span:
        """What was timed under a name; nothing where it did not run."""
        return self.spans.get(name, Span())

    @property
    def peak(self) -> int:
        """Most resident bytes of the main process."""
        return self.watched.peak()


def measure(
    folder: Path, arguments: Sequence[str], warehouse: Path, replay: Replay | None = None
) -> Measured:
    """Run ``charthouse run`` in a process of its own and look at it.

    Args:
        folder: for Prefect's home and what is written down meanwhile.
        arguments: of ``charthouse``.
        warehouse: as the arguments name it.
        replay: a stand-in for NER; None for the model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    marks = folder / "marks.jsonl"
    home = folder / "prefect"
    environment = {n: v for n, v in os.environ.items() if not n.startswith("PREFECT_")} | {
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)]),
        "PREFECT_HOME": str(home),
        "HF_HUB_OFFLINE": "1",
    }
    if replay is not None:
        Path(replay.log).mkdir(parents=True, exist_ok=True)
        environment[VARIABLE] = replay.as_json()
    command = [sys.executable, "-m", "scaling.child", str(marks), *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    watch = Watch(process.pid, warehouse.with_name(warehouse.name + ".work"))
    try:
        code = process.wait()
    finally:
        process.kill()
        watched = watch.close()
    if code not in (0, 3):
        raise SystemExit(f"charthouse {arguments[0]} ended with code {code}")
    measured = Measured(watched=watched)
    _read_marks(measured, marks)
    if replay is not None:
        _read_log(measured, Path(replay.log))
    _read_tables(measured, warehouse)
    _read_prefect(measured, home)
    return measured


def _read_marks(measured: Measured, path: Path) -> None:
    open_: dict[str, dict[str, float]] = {}
    for line in path.read_text("ascii").splitlines():
        mark = json.loads(line)
        name = mark["name"]
        if mark["what"] == "most":
            measured.in_flight = max(measured.in_flight, mark["count"])
            measured.bound = max(measured.bound, mark["bound"])
        elif mark["what"] == "begin":
            open_[name] = mark
        else:
            begun, before = open_.pop(name), measured.span(name)
            measured.spans[name] = Span(
                before.wall + mark["at"] - begun["at"],
                before.cpu + mark["cpu"] - begun["cpu"],
                before.times + 1,
                before.begin or begun["at"],
                mark["at"],
            )
            peak = measured.watched.peak(begun["at"], mark["at"])
            measured.peaks[name] = max(measured.peaks.get(name, 0), peak)
            if name == "process":
                measured.wall, measured.cpu = measured.span(name).wall, mark["cpu"]


def _read_log(measured: Measured, folder: Path) -> None:
    for path in folder.glob("*.jsonl"):
        for line in path.read_text("ascii").splitlines():
            entry = json.loads(line)
            if "shard" in entry:
                measured.shard_log.append(entry)
            elif "chunk" in entry:
                measured.names_cpu += entry["names_cpu"]
            elif entry["at"] < measured.span("link").begin:
                measured.worker_start += entry["cpu"]


def _read_tables(measured: Measured, warehouse: Path) -> None:
    from flows.warehouse.connection import read_warehouse

    with read_warehouse(warehouse) as connection:
        ((measured.documents, measured.characters),) = connection.execute(
            "SELECT count(*), sum(length(text)) FROM documents"
        ).fetchall()
        ((measured.shards, measured.mentions),) = connection.execute(
            "SELECT count(*), sum(mentions)::BIGINT FROM shards"
        ).fetchall()
        ((measured.names,),) = connection.execute(
            "SELECT count(*) FROM name_links WHERE rank = 1"
        ).fetchall()
    measured.warehouse_bytes = warehouse.stat().st_size


def _read_prefect(measured: Measured, home: Path) -> None:
    database = home / "prefect.db"
    if not database.is_file():
        return
    measured.prefect_bytes = sum(path.stat().st_size for path in home.glob("prefect.db*"))
    connection = sqlite3.connect(database)
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (name,) in tables.fetchall():
            ((rows,),) = connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()
            measured.prefect_rows += rows
    finally:
        connection.close()
