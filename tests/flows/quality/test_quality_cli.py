"""``charthouse quality`` as a person calls it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer.testing

from flows.cli.main import app
from flows.quality.measures import MEASURES
from flows.warehouse.connection import open_warehouse
from tests.flows.quality.conftest import Ward, linked_names
from tests.flows.quality.test_drift import GOOD, WORSE


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, the second much worse."""
    path = tmp_path_factory.mktemp("quality") / "w.duckdb"
    with open_warehouse(path) as connection:
        linked_names(connection)
        ward = Ward(connection)
        for run_id, found in (("20260101T000000-aaaaaa", GOOD), ("20260201T000000-bbbbbb", WORSE)):
            ward.begin(run_id)
            ward.add(run_id, "icu", found * 60, documents=600)
            ward.measure(run_id)
    return path


def call(warehouse: Path, *arguments: str, code: int = 0) -> str:
    done = typer.testing.CliRunner().invoke(
        app, ["quality", "-w", str(warehouse), *arguments], env={"COLUMNS": "80"}
    )
    assert done.exit_code == code, done.output
    return done.output


def test_table_of_the_latest_run_and_its_drift(warehouse: Path) -> None:
    told = call(warehouse, "--corpus", "icu", "--label", "*")
    assert told.startswith("Run 20260201T000000-bbbbbb\n")
    assert "Against 20260101T000000-aaaaaa" in told
    (row,) = [line for line in told.splitlines() if "link_share_change" in line]
    assert row.split() == [
        *("link_share_change", "100.0%", "20.0%", "-80.0", "pp", "10", "pp", "warning"),
    ]
    assert "Disease" not in told


def test_a_narrow_terminal_folds_nothing(warehouse: Path) -> None:
    lines = call(warehouse).splitlines()
    assert max(map(len, lines)) <= 80
    measured = [line.split()[0] for line in lines if line.startswith(" ")]
    assert measured and set(measured) <= set(MEASURES)
    assert "icu: 600 documents" in lines and "icu, Disease" in map(str.strip, lines)
    (whole,) = [line.split() for line in lines if line.startswith("all ")]
    assert whole == ["all", "600", "1.00", "100.0%", "0.550", "20.0%", "0.0%", "80.0%"]


def test_all_corpora_together_are_left_out_where_they_only_repeat_one(
    warehouse: Path, tmp_path: Path
) -> None:
    assert "all corpora" not in call(warehouse)
    assert "all corpora: 600 documents" in call(warehouse, "--corpus", "*")
    said = json.loads(call(warehouse, "--format", "json"))
    assert {row["corpus"] for row in said["found"]} == {"*", "icu"}
    path = shutil.copyfile(warehouse, tmp_path / "w.duckdb")
    with open_warehouse(path) as connection:
        ward = Ward(connection, documents=1200)
        ward.add("20260201T000000-bbbbbb", "ed", GOOD)
        ward.measure("20260201T000000-bbbbbb")
    assert "all corpora: 601 documents" in call(path)


def test_json_says_all_and_csv_the_comparisons(warehouse: Path) -> None:
    said = json.loads(call(warehouse, "--format", "json", "--label", "Disease", "--corpus", "icu"))
    assert said["run_id"] == "20260201T000000-bbbbbb"
    assert [row["mentions"] for row in said["found"]] == [120]
    assert {row["label"] for row in said["compared"]} == {"Disease"}
    lines = call(warehouse, "--format", "csv", "--crossed").splitlines()
    assert lines[0] == "against,corpus,label,measure,before,after,value,warn,fail,status"
    assert len(lines) > 3 and all(line.endswith(",warning") for line in lines[1:])


def test_thresholds_of_a_file_and_a_run_chosen_by_its_beginning(
    warehouse: Path, tmp_path: Path
) -> None:
    config = tmp_path / "q.toml"
    config.write_text('[quality]\nbaseline = "202602"\n[quality.fail]\nlink_share_change = 0.5\n')
    chosen = ("--run", "202601", "--config", str(config), "--crossed")
    for against in ("baseline", "20260201"):
        told = call(warehouse, *chosen, "--against", against)
        assert "failed" in told and "+80.0 pp" in told, told
    assert "There is no earlier run" in call(warehouse, "--run", "202601")


def test_without_a_file_thresholds_are_those_of_the_run(warehouse: Path, tmp_path: Path) -> None:
    path = shutil.copyfile(warehouse, tmp_path / "w.duckdb")
    with open_warehouse(path) as connection:
        Ward(connection).measure(
            "20260201T000000-bbbbbb", fail={"mentions_above": 7}, baseline="202601"
        )
    told = json.loads(call(path, "--format", "json", "--crossed"))["compared"]
    assert {(row["measure"], row["against"], row["fail"], row["status"]) for row in told} >= {
        ("mentions_above", "limit", 7, "failed")
    }
    against = ("--against", "baseline", "--format", "json")
    told = json.loads(call(path, *against))["compared"]
    assert {row["against"] for row in told} == {"baseline", "limit"}
    named = json.loads(call(path, "--against", "202601", "--format", "json"))["compared"]
    assert {row["against"] for row in named} == {"chosen"}
    mild = tmp_path / "mild.toml"
    mild.write_text("[quality]\nwarn = {}\n")
    assert (
        json.loads(call(path, "--config", str(mild), "--format", "json", "--crossed"))["compared"]
        == []
    )


def test_what_is_not_there_is_told(warehouse: Path, tmp_path: Path) -> None:
    runner = typer.testing.CliRunner()
    for arguments, words in (
        (["--run", "2025"], "2025: no measured runs begin with that"),
        (["--against", "2026"], "2026: 2 measured runs begin with that"),
        (["--against", "baseline"], "there is no baseline"),
    ):
        done = runner.invoke(app, ["quality", "-w", str(warehouse), *arguments])
        assert done.exit_code == 1 and words in str(done.exception)
    empty = tmp_path / "e.duckdb"
    with open_warehouse(empty):
        pass
    done = runner.invoke(app, ["quality", "-w", str(empty)])
    assert "no run of this warehouse was measured" in str(done.exception)
