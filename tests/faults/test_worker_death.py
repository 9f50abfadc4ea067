"""A worker that dies in the middle of a shard: the run ends by itself, and loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.flows.conftest import write_jsonl
from tests.flows.runs import COMMAND, environment, query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def workers_of(pid: int) -> list[int]:
    """Pool workers below a process: children started by multiprocessing's spawn."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == pid and b"spawn_main" in command:
            found.append(int(entry.name))
    return found


def test_run_survives_the_death_of_a_worker(tmp_path: Path) -> None:
    sentence = "The patient has asthma and takes aspirin for chest pain. "
    source = tmp_path / "notes.jsonl"
    write_jsonl(source, *({"id": str(i), "text": sentence * 60} for i in range(100)))
    warehouse = tmp_path / "w.duckdb"
    process = subprocess.Popen(
        [*COMMAND, "run", str(source), "--warehouse", str(warehouse), "--workers", "2"],
        env=environment(tmp_path, CHARTHOUSE_EXECUTION__SHARD_CHARACTERS="60000"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    progress = warehouse.with_name("w.duckdb.work")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(progress.glob("*/progress/*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    victims = workers_of(process.pid)
    assert victims, "no worker to kill"
    os.kill(victims[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert query(warehouse, "SELECT count(*), count(DISTINCT document_id) FROM documents") == [
        (100, 100)
    ]
    assert query(warehouse, "SELECT count(*) FROM rejects") == [(0,)]
    (counted,) = query(
        warehouse,
        "SELECT count(*), min(n), max(n) FROM "
        "(SELECT count(*) AS n FROM mentions GROUP BY document_id)",
    )
    assert counted[0] == 100 and counted[1] == counted[2], "same text, same mentions"
