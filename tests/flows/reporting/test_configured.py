"""The report that a run or relink leaves at its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import CharthouseError
from flows.reporting.configured import check_report, publish_report
from flows.reporting.settings import ReportSettings
from flows.warehouse.connection import open_warehouse
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.reporting.planted import SECRETS, plant
from tests.flows.runs import charthouse, query


def test_published_over_the_open_warehouse_without_text(tmp_path: Path) -> None:
    warehouse, out = plant(tmp_path), tmp_path / "report.html"
    with open_warehouse(warehouse) as connection:
        publish_report(connection, warehouse, ReportSettings())
        assert not out.exists()
        publish_report(connection, warehouse, ReportSettings(path=out, title="Wards"))
    page = out.read_text("utf-8")
    assert "<title>Wards</title>" in page
    assert not [word for word in SECRETS if word in page]


def test_the_door_is_shut_to_other_files(tmp_path: Path) -> None:
    warehouse = tmp_path / "w.duckdb"
    check_report(warehouse, ReportSettings())
    with pytest.raises(CharthouseError, match="is the warehouse itself"):
        check_report(warehouse, ReportSettings(path=warehouse))
    thesis = tmp_path / "thesis.html"
    thesis.write_text("<!doctype html>")
    with pytest.raises(CharthouseError, match="is no report of charthouse"):
        check_report(warehouse, ReportSettings(path=thesis))


def test_what_was_done_is_said_where_the_report_cannot_be_made(
    bench: Bench, tmp_path: Path
) -> None:
    bench.run(write_jsonl(tmp_path / "notes.jsonl", {"note_id": "1", "text": "fever"}))
    with (
        open_warehouse(bench.warehouse) as connection,
        pytest.raises(CharthouseError, match=r"the warehouse is complete, but .* no derived"),
    ):
        publish_report(connection, bench.warehouse, ReportSettings(path=tmp_path / "r.html"))


@pytest.mark.slow
def test_a_run_leaves_its_report_and_the_command_replaces_it(
    tmp_path: Path, prefect_address: str
) -> None:
    out, config = tmp_path / "report.html", tmp_path / "job.toml"
    config.write_text('[report]\npath = "report.html"\ntitle = "Each night"\n')
    warehouse = tmp_path / "w.duckdb"
    shared = {"PREFECT_API_URL": prefect_address}
    first = shared | {"CHARTHOUSE_REPORT__PATH": str(out)}
    demo = charthouse(tmp_path, "demo", "--warehouse", warehouse, **first)
    assert demo.returncode == 0, demo.stderr
    ((run_id,),) = query(warehouse, "SELECT run_id FROM runs")
    assert str(run_id) in out.read_text("utf-8")
    relink = ("relink", "--warehouse", warehouse, "--config", config)
    relinked = charthouse(tmp_path, *relink, **shared)
    assert relinked.returncode == 0, relinked.stderr
    assert "<title>Each night</title>" in out.read_text("utf-8")
    asked = ("report", "--warehouse", warehouse, "--out", out, "--with-text", "--json")
    written = charthouse(tmp_path, *asked)
    assert written.returncode == 0, written.stderr
    assert '"with_text": true' in written.stdout
    assert out.stat().st_size < 5_000_000
