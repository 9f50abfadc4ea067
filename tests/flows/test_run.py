"""The main job as a user runs it: the sample, again, interrupted, with bad input."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from flows.bundled import SAMPLE_SOURCES
from tests.flows.conftest import write_jsonl
from tests.flows.runs import COMMAND, assert_sound, charthouse, environment, query

WORDS = ("--model", "none", "--dictionary", "sample", "--workers", "1")
"""A dictionary in place of a model: workers start sooner."""

DOCUMENTS = 60
"""Notes of a run that is interrupted: thirty shards."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def sample(home: Path) -> Path:
    """The warehouse of one run over the bundled sample."""
    warehouse = home / "sample.duckdb"
    done = charthouse(home, "demo", "--warehouse", warehouse, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["new"] == summary["documents"] >= 40
    return warehouse


def test_sample_fills_every_room(sample: Path) -> None:
    ((documents, mentions, linked),) = query(
        sample,
        "SELECT count(DISTINCT document_id), count(*), count(concept_id) FROM entities",
    )
    assert documents >= 40
    assert mentions > 500
    assert linked / mentions > 0.5
    for table in ("sections", "sentences", "abbreviations", "name_links", "concept_ancestors"):
        assert query(sample, f"SELECT count(*) > 0 FROM {table}") == [(True,)], table


def test_sample_is_sound(sample: Path) -> None:
    """Offsets, keys, ledger, links and counts: all that ``charthouse check`` looks at."""
    assert_sound(sample)


def test_known_sentence_gives_known_entity(sample: Path) -> None:
    """A disease every reader of the sample sees is found and linked to its descriptor."""
    rows = query(
        sample,
        "SELECT DISTINCT concept_id, concept_name FROM entities "
        "WHERE lower(lookup_text) = 'type 2 diabetes mellitus' AND label = 'Disease'",
    )
    assert rows == [("MESH:D003924", "Diabetes Mellitus, Type 2")]


def test_running_again_leaves_nothing_to_do(sample: Path, home: Path) -> None:
    before = query(sample, "FROM mentions ORDER BY ALL")
    done = charthouse(home, "demo", "--warehouse", sample)
    assert done.returncode == 0, done.stderr
    assert "Nothing was left to do" in done.stdout
    assert query(sample, "FROM mentions ORDER BY ALL") == before
    assert not sample.with_name(sample.name + ".work").exists()


def test_second_process_is_told_who_holds_the_warehouse(sample: Path, home: Path) -> None:
    import duckdb

    from flows.warehouse.connection import open_warehouse

    with open_warehouse(sample):
        done = charthouse(home, "sql", "--warehouse", sample, "SELECT 1")
        status = charthouse(home, "status", "--warehouse", sample)
    assert done.returncode == status.returncode == 1
    assert re.search(r"in use by process \d+", done.stderr)
    assert "Traceback" not in done.stderr
    duckdb.connect(str(sample)).close()


def test_bad_document_is_one_reject_and_exit_3(
    home: Path, tmp_path: Path, prefect_address: str
) -> None:
    source = tmp_path / "notes.jsonl"
    write_jsonl(source, {"id": "1", "text": "The patient has asthma."})
    with source.open("ab") as file:
        file.write(b'{"id": "2", "text": "caf\xe9"}\n{"id": "3", "text": ""}\n')
    warehouse = tmp_path / "w.duckdb"
    order = ("run", source, "--warehouse", warehouse, "--workers", "1")
    done = charthouse(home, *order, PREFECT_API_URL=prefect_address)
    assert done.returncode == 3, done.stderr
    assert query(warehouse, "SELECT ordinal, stage FROM rejects ORDER BY 1") == [
        (1, "read"),
        (2, "read"),
    ]
    assert query(warehouse, "SELECT count(*) FROM documents") == [(1,)]
    again = charthouse(home, *order, PREFECT_API_URL=prefect_address)
    assert again.returncode == 0


@pytest.mark.slow
def test_source_that_breaks_midway_is_one_reject_and_exit_3_once(
    home: Path, tmp_path: Path, prefect_address: str
) -> None:
    shared = {"PREFECT_API_URL": prefect_address}
    broken = tmp_path / "pubmed24n0001.xml"
    broken.write_bytes(SAMPLE_SOURCES[0].read_bytes()[:20_000])
    notes = write_jsonl(tmp_path / "notes.jsonl", {"id": "1", "text": "The patient has asthma."})
    warehouse = tmp_path / "w.duckdb"
    order = ("run", broken, notes, "--warehouse", warehouse, *WORDS)
    done = charthouse(home, *order, **shared)
    assert done.returncode == 3, done.stderr
    assert broken.name not in done.stderr
    assert query(warehouse, "SELECT corpus FROM documents") == [("notes",)]
    ((path, ordinal, reason),) = query(warehouse, "SELECT path, ordinal, reason FROM rejects")
    assert (path, ordinal) == (str(broken), -1)
    assert str(reason).startswith("the file is not well-formed XML at line")
    assert charthouse(home, *order, **shared).returncode == 0
    broken.write_bytes(SAMPLE_SOURCES[0].read_bytes())
    assert charthouse(home, *order, **shared).returncode == 0
    assert query(warehouse, "SELECT count(*) FROM rejects") == [(0,)]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_interrupted_run_says_how_to_go_on(
    home: Path, tmp_path: Path, prefect_address: str, signum: signal.Signals
) -> None:
    source = tmp_path / "notes.jsonl"
    sentence = "The patient has asthma and takes aspirin for chest pain. "
    write_jsonl(source, *({"id": str(i), "text": sentence * 60} for i in range(DOCUMENTS)))
    warehouse = tmp_path / "w.duckdb"
    process = subprocess.Popen(
        [*COMMAND, "run", str(source), "--warehouse", str(warehouse), *WORDS],
        env=environment(home, CHARTHOUSE_EXECUTION__SHARD_CHARACTERS="10000"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    work = warehouse.with_name("w.duckdb.work")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(work.glob("*/staged/*/receipt.json")):
        assert process.poll() is None
        time.sleep(0.002)
    os.killpg(process.pid, signum)  # as a terminal and a scheduler do it
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "run the same command again" in errors
    assert "Traceback" not in errors
    again = ("run", source, "--warehouse", warehouse, *WORDS)
    done = charthouse(home, *again, PREFECT_API_URL=prefect_address)
    assert done.returncode == 0, done.stderr
    assert query(
        warehouse, "SELECT count(*), count(DISTINCT run_id) FROM document_annotations"
    ) == [(DOCUMENTS, 1)]
    assert query(warehouse, "SELECT status FROM runs") == [("done",)]


@pytest.mark.slow
def test_run_appears_in_a_prefect_server_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.prefect_server import prefect_api

    for name in ("PREFECT_API_URL", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "server"))
    source = write_jsonl(tmp_path / "n.jsonl", {"id": "1", "text": "Asthma after aspirin."})
    with prefect_api() as address:
        run = ("run", source, "--warehouse", tmp_path / "w.duckdb", "--workers", "1")
        done = charthouse(tmp_path, *run, PREFECT_API_URL=address)
        assert done.returncode == 0, done.stderr
        flows = asked(f"{address}/flow_runs/filter")
        artifacts = asked(f"{address}/artifacts/filter")
    assert {run["state_type"] for run in flows} == {"COMPLETED"}
    assert len(flows) >= 2
    (table,) = [row for row in artifacts if row["key"] == "charthouse-run"]
    rows = {(row["group"], row["what"]): row["value"] for row in json.loads(table["data"])}
    assert rows["documents", "read"] == rows["documents", "new"] == 1
    assert rows["rate", "documents/s"] > 0 and rows["seconds", "annotate"] > 0
    assert 0 < rows["links", "share of mentions linked"] <= 1
    dead = charthouse(tmp_path, *run, PREFECT_API_URL=address)
    assert dead.returncode == 1 and "does not answer" in dead.stderr


def asked(url: str) -> list[dict[str, str]]:
    """A Prefect API's answer to a filter that takes all."""
    request = urllib.request.Request(
        url, data=b"{}", headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return list(json.loads(answer.read()))
