"""Documents that end or hang their worker, and a worker that is stopped: real processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from flows.shard_stage import ENDED_WORKER, HUNG_WORKER
from tests.faults.hazards import hazardous
from tests.faults.processes import begin, workers_of
from tests.flows.conftest import write_jsonl
from tests.flows.runs import charthouse, contents, environment, query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WORDS = ("--model", "none", "--dictionary", "sample", "--workers", "2")
"""A dictionary alone: workers start sooner than with a model."""

QUIET = "The patient has asthma and takes aspirin for chest pain. "


def run(source: Path, warehouse: Path) -> list[str]:
    return ["run", str(source), "--warehouse", str(warehouse), *WORDS]


def notes(folder: Path, hazards: dict[int, str]) -> Path:
    records = [{"id": f"n{i:02d}", "text": hazards.get(i, "") + QUIET * 3} for i in range(12)]
    return write_jsonl(folder / "notes.jsonl", *records)


def calm_tables(folder: Path, more: dict[str, str], left_out: set[int]) -> dict[str, object]:
    """What a run finds in the same notes without those that are left out."""
    calm = folder / "calm"
    calm.mkdir()
    source = notes(calm, {})
    lines = source.read_text().splitlines(keepends=True)
    source.write_text("".join(line for i, line in enumerate(lines) if i not in left_out))
    done = charthouse(folder, *run(source, calm / "w.duckdb"), **more)
    assert done.returncode == 0, done.stderr
    return dict(contents(calm / "w.duckdb"))


def test_document_that_kills_its_worker_is_a_reject_and_innocents_lose_nothing(
    tmp_path: Path, prefect_address: str
) -> None:
    more = hazardous(tmp_path / "site") | {"CHARTHOUSE_EXECUTION__RETRIES": "0"}
    more["PREFECT_API_URL"] = prefect_address
    source = notes(tmp_path, {7: "Killerword. "})
    more["CHARTHOUSE_EXECUTION__SHARD_CHARACTERS"] = "1000"
    warehouse = tmp_path / "w.duckdb"
    done = charthouse(tmp_path, *run(source, warehouse), **more)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr and "Killerword" not in done.stderr + done.stdout
    assert query(warehouse, "SELECT document_id, stage, reason FROM rejects") == [
        ("notes:n07", "annotate", ENDED_WORKER)
    ]
    expected = calm_tables(tmp_path, more, {7})
    found = contents(warehouse)
    for table in ("mentions", "sentences", "sections", "name_links"):
        assert found[table] == expected[table], table
    assert query(
        warehouse, "SELECT status, count(*) FROM document_annotations GROUP BY 1 ORDER BY 1"
    ) == [("done", 11), ("rejected", 1)]
    again = charthouse(tmp_path, *run(source, warehouse), **more)
    assert again.returncode == 0 and "Nothing was left to do" in again.stdout, again.stderr


def test_document_that_hangs_its_worker_is_a_reject(tmp_path: Path, prefect_address: str) -> None:
    more = hazardous(tmp_path / "site") | {
        "CHARTHOUSE_EXECUTION__RETRIES": "0",
        "CHARTHOUSE_EXECUTION__STALL_SECONDS": "25",
        "CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "200",  # each note is a shard
        "PREFECT_API_URL": prefect_address,
    }
    source = notes(tmp_path, {2: "Hangword. "})
    warehouse = tmp_path / "w.duckdb"
    began = time.monotonic()
    done = charthouse(tmp_path, *run(source, warehouse), **more)
    assert done.returncode == 3, done.stderr
    assert time.monotonic() - began > 2 * 25, "in company and alone"
    assert len(done.stderr.splitlines()) < 30 and "Traceback" not in done.stderr
    assert query(warehouse, "SELECT document_id, reason FROM rejects") == [
        ("notes:n02", HUNG_WORKER)
    ]
    assert query(warehouse, "SELECT count(DISTINCT document_id), count(*) % 11 FROM mentions") == [
        (11, 0)
    ]


def test_worker_that_is_stopped_is_ended_and_its_shard_tried_again(
    tmp_path: Path, prefect_address: str
) -> None:
    """SIGSTOP: no watchdog within the process can help."""
    source = tmp_path / "notes.jsonl"
    write_jsonl(source, *({"id": str(i), "text": QUIET * 60} for i in range(100)))
    warehouse = tmp_path / "w.duckdb"
    slow = environment(
        tmp_path,
        CHARTHOUSE_EXECUTION__SHARD_CHARACTERS="60000",
        CHARTHOUSE_EXECUTION__STALL_SECONDS="25",
        PREFECT_API_URL=prefect_address,
    )
    process = begin(run(source, warehouse), warehouse, slow)
    victim = workers_of(process.pid)[0]
    os.kill(victim, signal.SIGSTOP)
    _, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert not Path(f"/proc/{victim}").exists(), "the stopped worker is still there"
    assert query(warehouse, "SELECT count(*), count(DISTINCT document_id) FROM documents") == [
        (100, 100)
    ]
    assert query(warehouse, "SELECT count(*) FROM rejects") == [(0,)]
