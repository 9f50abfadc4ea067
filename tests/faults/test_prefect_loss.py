"""Prefect's API going away in the middle of a run: killed servers, real ones."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from flows.prefect_server import api_answers
from tests.faults.processes import begin, servers_of
from tests.flows.conftest import write_jsonl
from tests.flows.runs import charthouse, contents, environment, query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WORDS = ("--model", "none", "--dictionary", "sample", "--workers", "1")
SMALL = {"CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "30000"}


def notes(folder: Path) -> Path:
    text = "The patient has asthma and takes aspirin for chest pain. " * 60
    return write_jsonl(folder / "n.jsonl", *({"id": str(i), "text": text} for i in range(120)))


def begin_notes(home: Path, source: Path, warehouse: Path, **more: str) -> subprocess.Popen[str]:
    arguments = ["run", str(source), "--warehouse", str(warehouse), *WORDS]
    return begin(arguments, warehouse, environment(home, **SMALL, **more))


def test_run_completes_when_its_temporary_server_is_killed(tmp_path: Path) -> None:
    warehouse = tmp_path / "w.duckdb"
    process = begin_notes(tmp_path, notes(tmp_path), warehouse)
    (killed,) = servers_of(process.pid)
    os.kill(killed, signal.SIGKILL)
    _, errors = process.communicate(timeout=500)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert len(errors.splitlines()) < 40, errors
    assert query(warehouse, "SELECT count(*), count(DISTINCT document_id) FROM documents") == [
        (120, 120)
    ]
    with closing(sqlite3.connect(tmp_path / "prefect" / "prefect.db")) as database:
        states = database.execute("SELECT state_type, count(*) FROM flow_run GROUP BY 1").fetchall()
    assert dict(states).keys() == {"COMPLETED"}


@contextmanager
def server(home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A Prefect server as a user would have one."""
    home.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.prefect_server", str(os.getpid()), str(port)],
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 200
        while not api_answers(f"http://127.0.0.1:{port}/api"):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.2)
        yield process
    finally:
        process.kill()
        process.wait()


def test_run_ends_when_its_own_api_stays_away_and_goes_on_when_it_is_back(
    tmp_path: Path, prefect_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mine = {
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_CLIENT_MAX_RETRIES": "1",  # a minute for each call by default
    }
    source, warehouse = notes(tmp_path), tmp_path / "w.duckdb"
    with server(tmp_path / "server", port) as api:
        process = begin_notes(tmp_path, source, warehouse, **mine)
        api.kill()
        api.wait()
        _, errors = process.communicate(timeout=400)
    assert process.returncode == 1, errors
    assert "Traceback" not in errors
    last = errors.strip().splitlines()[-1]
    assert last.startswith("charthouse: the Prefect API does not answer any more")
    assert len(errors.splitlines()) < 40, errors

    with server(tmp_path / "server", port):
        done = charthouse(
            tmp_path, "run", source, "--warehouse", warehouse, *WORDS, **SMALL, **mine
        )
    assert done.returncode == 0, done.stderr
    quiet = ("run", source, "--warehouse", tmp_path / "calm.duckdb", *WORDS)
    calm = charthouse(tmp_path, *quiet, **SMALL, PREFECT_API_URL=prefect_address)
    assert calm.returncode == 0, calm.stderr
    assert contents(warehouse) == contents(tmp_path / "calm.duckdb")
