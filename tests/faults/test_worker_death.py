"""A worker that dies in the middle of a shard: the run ends by itself, and loses nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.faults.processes import begin, workers_of
from tests.faults.scene import QUICK
from tests.flows.conftest import write_jsonl
from tests.flows.runs import environment, query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DOCUMENTS = 100


def test_run_survives_the_death_of_a_worker(tmp_path: Path, prefect_address: str) -> None:
    sentence = "The patient has asthma and takes aspirin for chest pain. "
    source = tmp_path / "notes.jsonl"
    write_jsonl(source, *({"id": str(i), "text": sentence * 60} for i in range(DOCUMENTS)))
    warehouse = tmp_path / "w.duckdb"
    arguments = ["run", str(source), "-w", str(warehouse), *QUICK, "--workers", "2"]
    small = environment(
        tmp_path,
        CHARTHOUSE_EXECUTION__SHARD_CHARACTERS="30000",
        PREFECT_API_URL=prefect_address,
    )
    process = begin(arguments, warehouse, small)
    victims = workers_of(process.pid)
    assert victims, "no worker to kill"
    os.kill(victims[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors
    assert query(warehouse, "SELECT count(*), count(DISTINCT document_id) FROM documents") == [
        (DOCUMENTS, DOCUMENTS)
    ]
    assert query(warehouse, "SELECT count(*) FROM rejects") == [(0,)]
    (counted,) = query(
        warehouse,
        "SELECT count(*), min(n), max(n) FROM "
        "(SELECT count(*) AS n FROM mentions GROUP BY document_id)",
    )
    assert counted[0] == DOCUMENTS and counted[1] == counted[2], "same text, same mentions"
