"""The command as a user calls it."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pytest
from bioc import biocxml
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.main import app
from flows.readers.pubtator import read_gold
from flows.warehouse.connection import open_warehouse
from tests.flows.conftest import Bench
from tests.flows.runs import COMMAND, charthouse, environment, query

FORMATS = ("omop", "fhir", "pubtator", "bioc", "parquet")


def call(*arguments: str | Path) -> Result:
    """Call the command in this process."""
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


def test_help_lists_the_formats() -> None:
    done = call("--help")
    assert done.exit_code == 0
    for name in FORMATS:
        assert f" {name} " in done.stdout
        assert "Example: charthouse export" in call(name, "--help").stdout


def test_the_outcome_is_told_for_people_and_programs(filled: Bench, tmp_path: Path) -> None:
    base = ("omop", "-w", filled.warehouse, "-o", tmp_path / "out")
    dry = call(*base, "--dry-run")
    assert dry.exit_code == 0
    assert "4 documents would be exported" in dry.stdout
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.ids.parquet").exists()
    done = call(*base, "--json", "--as", "csv")
    outcome = json.loads(done.stdout)
    assert {f["name"]: f["rows"] for f in outcome["files"]} == {"note.csv": 4, "note_nlp.csv": 11}
    assert (tmp_path / "out.ids.parquet").is_file()
    told = call(*base, "--overwrite", "--where", "kind = 'note'").stdout
    for words in ("omop.duckdb", "mentions: 9", "3 documents exported to"):
        assert words in told
    assert call("hl7", "-w", filled.warehouse).exit_code == 2
    assert call(*base, "--overwrite", "--ids", tmp_path / "out" / "ids").exit_code == 2


def test_the_folder_one_is_in_can_be_exported_to(
    filled: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert call("omop", "-w", filled.warehouse, "--out", ".").exit_code == 0
    assert (tmp_path / "here" / "omop.duckdb").is_file()
    assert (tmp_path / "here.ids.parquet").is_file()
    assert call("omop", "-w", filled.warehouse, "--out", "/").exit_code == 2


def test_a_warehouse_in_use_is_told(filled: Bench, tmp_path: Path) -> None:
    with open_warehouse(filled.warehouse):
        done = charthouse(
            tmp_path, "export", "bioc", "-w", filled.warehouse, "-o", tmp_path / "out"
        )
    assert done.returncode == 1
    assert "in use by process" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_export_that_ends_midway_leaves_no_half_file(
    filled: Bench, tmp_path: Path, how: signal.Signals
) -> None:
    with open_warehouse(filled.warehouse) as connection:
        connection.execute(
            "INSERT INTO mentions BY NAME SELECT m.* REPLACE (range::INTEGER + 100 AS mention_id) "
            "FROM mentions m, range(150_000) WHERE document_id = 'notes:12'"
        )
    out = tmp_path / "out"
    begun = subprocess.Popen(
        [*COMMAND, "export", "bioc", "-w", str(filled.warehouse), "-o", str(out)],
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs tests in the background has them ignore SIGINT, and all they begin.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    half = tmp_path / ".out.new" / "notes.bioc.xml"
    end = time.monotonic() + 60
    while not half.exists() and time.monotonic() < end:
        assert begun.poll() is None
        time.sleep(0.005)
    begun.send_signal(how)
    _, told = begun.communicate()
    assert not out.exists()
    if how is signal.SIGKILL:
        assert half.exists()
    else:
        assert (begun.returncode, half.parent.exists()) == (130, False)
        assert "Nothing was exported" in told


@pytest.mark.slow
def test_the_sample_goes_out_in_every_format(tmp_path: Path, prefect_address: str) -> None:
    warehouse = tmp_path / "sample.duckdb"
    shared = {"PREFECT_API_URL": prefect_address}
    done = charthouse(tmp_path, "demo", "--warehouse", warehouse, **shared)
    assert done.returncode == 0, done.stderr
    ((documents, persons, mentions),) = query(
        warehouse,
        "SELECT count(*), count(person_id), (SELECT count(*) FROM entities) FROM documents",
    )
    assert 0 < int(persons) < int(documents)  # type: ignore[call-overload]
    for name in FORMATS:
        exported = call(name, "-w", warehouse, "-o", tmp_path / name, "--json")
        assert exported.exit_code == 0, exported.output
        # FHIR has no place for what is of no person.
        expected = persons if name == "fhir" else documents
        assert json.loads(exported.stdout)["documents"] == expected, name
    with duckdb.connect(str(tmp_path / "omop" / "omop.duckdb"), read_only=True) as connection:
        assert connection.execute(
            "SELECT count(*) FROM note JOIN note_nlp USING (note_id)"
        ).fetchall() == [(mentions,)]
    gold = list(read_gold(tmp_path / "pubtator" / "sample.pubtator"))
    assert sum(len(d.mentions) for d in gold) == mentions
    assert all(
        d.text[m.start_char : m.end_char] == m.mention_text for d in gold for m in d.mentions
    )
    with (tmp_path / "bioc" / "sample.bioc.xml").open(encoding="utf-8") as file:
        collection = biocxml.load(file)
    assert mentions == sum(len(p.annotations) for d in collection.documents for p in d.passages)
    conditions = (tmp_path / "fhir" / "Condition.ndjson").read_text("utf-8").splitlines()
    assert len(conditions) > 100
    rows = query(
        warehouse, f"SELECT count(*) FROM read_parquet('{tmp_path}/parquet/mentions/**/*.parquet')"
    )
    assert rows == [(mentions,)]
