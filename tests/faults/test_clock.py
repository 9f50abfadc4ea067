"""A clock that goes backwards, within a run and between runs: only times in the tables differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.moved_clock import moved_clock
from tests.faults.processes import begin
from tests.flows.conftest import write_jsonl
from tests.flows.runs import charthouse, contents, environment, query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DAY = 86_400
WORDS = ("--model", "none", "--dictionary", "sample", "--workers", "1")
SMALL = {"CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "30000"}


def test_clock_that_goes_backwards_changes_nothing_but_times(
    tmp_path: Path, prefect_address: str
) -> None:
    text = "The patient has asthma and takes aspirin for chest pain. " * 60
    notes = [{"id": str(i), "text": text} for i in range(60)]
    source = write_jsonl(tmp_path / "n.jsonl", *notes)
    warehouse, calm = tmp_path / "w.duckdb", tmp_path / "calm.duckdb"
    run = ("run", source, "--warehouse", warehouse, *WORDS)
    with moved_clock(tmp_path) as clock:
        clock.set(30 * DAY)
        process = begin(run, warehouse, environment(tmp_path, **SMALL, **clock.variables))
        clock.set(29 * DAY)  # in the middle of the run
        _, errors = process.communicate(timeout=500)
        assert process.returncode == 0, errors
        ((backwards,),) = query(warehouse, "SELECT finished_at < started_at FROM runs")
        assert backwards, "the run did not see the clock go back"
        assert len(errors.splitlines()) < 40, errors

        clock.set(0)  # a month before the first run
        write_jsonl(source, *notes, {"id": "new", "text": text})
        done = charthouse(tmp_path, *run, **SMALL, **clock.variables)
        assert done.returncode == 0, done.stderr
    assert query(warehouse, "SELECT new FROM runs ORDER BY run_id") == [(60,), (1,)]

    write_jsonl(source, *notes)
    small = SMALL | {"PREFECT_API_URL": prefect_address}
    first = charthouse(tmp_path, "run", source, "--warehouse", calm, *WORDS, **small)
    write_jsonl(source, *notes, {"id": "new", "text": text})
    second = charthouse(tmp_path, "run", source, "--warehouse", calm, *WORDS, **small)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    found, expected = contents(warehouse), contents(calm)
    del found["sources"], expected["sources"]  # the modification times of the file
    assert found == expected
