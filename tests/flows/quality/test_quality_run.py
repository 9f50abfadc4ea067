"""Whole runs: measured, compared, failed by a threshold, killed before they are published."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.flows.conftest import write_jsonl
from tests.flows.prefect_processes import PrefectServer, ask, prefect_server
from tests.flows.runs import COMMAND, assert_sound, contents, query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MARKER = "zebrafinch"
"""The name of the corpus: it may identify people, so Prefect is not told."""
KNOWN = "The patient has asthma and diabetes mellitus, and takes aspirin and metformin."
UNKNOWN = "The patient is well and goes home."
JOB = """\
sources = ["{source}"]
ontologies = ["sample"]
[warehouse]
path = "{warehouse}"
[source]
corpus = "zebrafinch"
[ner]
models = []
[dictionary]
stores = ["sample"]
[execution]
workers = 1
[quality]
min_count = 5
"""
STRICT = "[quality.fail]\nmentions_per_1000_change = 0.2\nlink_share_below = 0.1\n"
KILLED = """
import os, signal
import flows.pipeline
flows.pipeline.publish = lambda session: os.kill(os.getpid(), signal.SIGKILL)
from flows.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with prefect_server(tmp_path_factory.mktemp("prefect")) as running:
        yield running


@pytest.fixture(scope="module")
def first(server: PrefectServer) -> Path:
    """The warehouse of one run over twelve notes, and a second dozen that mentions little."""
    folder = server.folder
    write_jsonl(folder / "a.jsonl", *({"id": f"a{n}", "text": KNOWN} for n in range(12)))
    poor = [KNOWN if n < 3 else UNKNOWN for n in range(12)]
    write_jsonl(folder / "b.jsonl", *({"id": f"b{n}", "text": text} for n, text in enumerate(poor)))
    done = run(server, job(folder, "a", "w"))
    assert done.returncode == 0, done.stderr
    assert "quality" not in done.stdout.lower(), "nothing to tell of the first run"
    return folder / "w.duckdb"


def job(folder: Path, source: str, warehouse: str, more: str = "") -> Path:
    path = folder / f"{warehouse}-{source}.toml"
    path.write_text(JOB.format(source=f"{source}.jsonl", warehouse=f"{warehouse}.duckdb") + more)
    return path


def run(
    server: PrefectServer, job: Path, *arguments: str, command: list[str] = COMMAND
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, "run", "--config", str(job), *arguments],
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def last_flow_run(server: PrefectServer) -> dict[str, Any]:
    (latest,) = ask(
        f"{server.api}/flow_runs/filter",
        {"flows": {"name": {"any_": ["charthouse"]}}, "sort": "START_TIME_DESC", "limit": 1},
    )
    return dict(latest)


@dataclass(frozen=True)
class Crossed:
    """A second run that crossed a threshold, and the tables it left."""

    job: Path
    warehouse: Path
    done: subprocess.CompletedProcess[str]
    tables: dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def failed(server: PrefectServer, first: Path) -> Crossed:
    shutil.copyfile(first, warehouse := first.with_name("failed.duckdb"))
    strict = job(first.parent, "b", "failed", STRICT)
    done = run(server, strict)
    assert done.returncode == 4, done.stderr
    return Crossed(strict, warehouse, done, contents(warehouse))


def test_a_threshold_fails_the_flow_and_keeps_the_work(
    server: PrefectServer, failed: Crossed
) -> None:
    done, warehouse, strict = failed.done, failed.warehouse, failed.job
    assert "Quality thresholds crossed: 1 of failure" in done.stdout
    assert query(warehouse, "SELECT status, new FROM runs ORDER BY run_id") == [("done", 12)] * 2
    assert query(
        warehouse,
        "SELECT corpus, label, measure, status FROM quality_drift WHERE status = 'failed'",
    ) == [(MARKER, "*", "mentions_per_1000_change", "failed")]
    assert "Traceback" not in done.stderr
    assert_sound(warehouse)
    assert not warehouse.with_name(warehouse.name + ".work").exists()
    flow_run = last_flow_run(server)
    assert flow_run["state_type"] == "FAILED"
    assert "quality thresholds crossed: 1 of failure" in flow_run["state"]["message"]
    artifacts = ask(f"{server.api}/artifacts/filter", {})
    assert [a for a in artifacts if a["key"] == "charthouse-quality" and "failed" in a["data"]]
    assert MARKER not in json.dumps([artifacts, ask(f"{server.api}/flow_runs/filter", {})])

    again = run(server, strict)
    assert again.returncode == 0, "nothing was done, so nothing is crossed anew"
    words = " ".join(again.stdout.split())
    assert "In the latest run that was measured, quality thresholds crossed: 1 of failure" in words
    assert last_flow_run(server)["state_type"] == "COMPLETED"


def test_many_rejects_among_few_records_fail_a_run(server: PrefectServer, first: Path) -> None:
    """By the default of ``min_count``, which 50 records are far below."""
    folder = first.parent
    shutil.copyfile(first, warehouse := first.with_name("few.duckdb"))
    texts = [KNOWN if n % 5 < 2 else "" for n in range(50)]
    write_jsonl(
        folder / "c.jsonl", *({"id": f"c{n}", "text": text} for n, text in enumerate(texts))
    )
    few = job(folder, "c", "few", "[quality.fail]\nreject_share_above = 0.05\n")
    few.write_text(few.read_text().replace("min_count = 5\n", ""))
    done = run(server, few)
    assert done.returncode == 4, done.stderr
    assert "Quality thresholds crossed: 1 of failure and 1 of warning" in " ".join(
        done.stdout.split()
    )
    assert query(
        warehouse,
        "SELECT measure, round(value, 2), status FROM quality_drift "
        "WHERE status != 'too_few' AND corpus != '*' ORDER BY ALL",
    ) == [("reject_share_above", 0.6, "failed"), ("reject_share_change", 0.6, "warning")]


def test_a_scheduled_job_fails_too(server: PrefectServer, first: Path) -> None:
    shutil.copyfile(first, first.with_name("served.duckdb"))
    strict = job(first.parent, "b", "served", STRICT)
    code = (
        "from flows.deployments import annotate\n"
        f"state = annotate({str(strict)!r}, return_state=True)\n"
        "print(state.type.value, state.name, state.message, sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.stdout.strip().splitlines()[-1] == (
        "FAILED|Failed|12 new and 0 changed documents; quality thresholds crossed: 1 of failure"
    ), done.stderr


def test_killed_before_it_is_published_a_run_ends_with_equal_tables(
    server: PrefectServer, first: Path, failed: Crossed
) -> None:
    """The second attempt has other thresholds: it goes on with the run all the same."""
    shutil.copyfile(first, warehouse := first.with_name("killed.duckdb"))
    killed = run(server, job(first.parent, "b", "killed"), command=[sys.executable, "-c", KILLED])
    assert killed.returncode == -9, killed.stderr
    assert query(warehouse, "SELECT count(DISTINCT run_id) FROM quality") == [(2,)]
    done = run(server, job(first.parent, "b", "killed", STRICT))
    assert done.returncode == 4, done.stderr
    assert query(warehouse, "SELECT count(*) FROM runs") == [(2,)]
    assert contents(warehouse) == failed.tables
    assert failed.tables["quality_drift"]


def test_bad_thresholds_and_baselines_are_told_at_the_door(
    server: PrefectServer, first: Path
) -> None:
    shutil.copyfile(first, warehouse := first.with_name("door.duckdb"))
    unknown = "quality.baseline 1999: no measured runs begin with that"
    for more, words, *arguments in (
        ("[quality.warn]\nlinkshare = 1\n", "setting quality.warn"),
        ('baseline = "1999"\n', unknown),
        ('baseline = "1999"\n', unknown, "--dry-run"),
    ):
        done = run(server, job(first.parent, "b", "door", more), *arguments)
        assert done.returncode == 1 and words in done.stderr, done.stderr
    assert query(warehouse, "SELECT count(*) FROM runs") == [(1,)]
