"""Nothing outside of what was configured is read or written, whatever files and tables say."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from flows.annotating import AnnotateStage
from flows.cli.main import _run
from flows.errors import CharthouseError
from flows.plan import Planner
from flows.progress import Reporter
from flows.receipt import (
    RECEIPT,
    StagingError,
    finished_receipts,
    rooted,
    stage,
    write_receipt,
)
from flows.run import _recover
from flows.session import Session
from flows.warehouse import runs
from flows.warehouse.connection import Connection, open_warehouse
from flows.work import WorkFolder, make_private
from tests.flows.conftest import Bench, annotate_by_rule, write_jsonl

FRAMES = {"mentions": pl.DataFrame({"a": [1, 2]})}


@pytest.mark.parametrize(
    "query",
    [
        "FROM read_csv('SECRET', header = false)",
        "FROM read_text('SECRET')",
        "FROM read_blob('SECRET')",
        "FROM 'SECRET'",
        "FROM glob('FOLDER/*')",
        "COPY (SELECT 1) TO 'FOLDER/out.csv'",
        "EXPORT DATABASE 'FOLDER/out'",
        "ATTACH 'FOLDER/out.duckdb' AS out",
        "SET enable_external_access = true",
        "LOAD httpfs",
        "INSTALL httpfs",
        "CREATE TABLE t AS SELECT 1",
        "DELETE FROM documents",
    ],
)
def test_a_query_sees_the_warehouse_and_no_other_file(
    bench: Bench,
    tmp_path: Path,
    query: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with open_warehouse(bench.warehouse):
        pass
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    secret = folder / "secret.csv"
    secret.write_text("hush\n")
    query = query.replace("SECRET", str(secret)).replace("FOLDER", str(folder))
    monkeypatch.setattr(sys, "argv", ["charthouse", "sql", "-w", str(bench.warehouse), query])
    assert _run() == 1
    said = capsys.readouterr()
    assert "hush" not in said.out + said.err and said.out == ""
    assert said.err.startswith("charthouse: query") and len(said.err.splitlines()) == 1
    assert [path.name for path in folder.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("FROM read_csv('/etc/passwd')", "A query sees this warehouse only"),
        ("DELETE FROM documents", "it would change the warehouse. charthouse sql only reads"),
    ],
)
def test_the_refusal_says_so(
    bench: Bench,
    asked: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with open_warehouse(bench.warehouse):
        pass
    query = ["sql", "-w", str(bench.warehouse), asked]
    monkeypatch.setattr(sys, "argv", ["charthouse", *query])
    assert _run() == 1
    assert said in capsys.readouterr().err


class TestReceipt:
    @pytest.mark.parametrize("folder", ["/etc", "..", ".", "", "/", "a/.."])
    def test_its_folder_is_a_name_in_the_work_folder(self, tmp_path: Path, folder: str) -> None:
        staged = make_private(tmp_path / "staged")
        receipt = stage(staged, 1, FRAMES, {})
        tampered = type(receipt)(**{**vars(receipt), "folder": folder})
        try:
            here = rooted(tampered, staged).path
        except StagingError:
            return
        assert here.parent == staged and here != staged

    @pytest.mark.parametrize("name", ["../mentions.parquet", "/etc/passwd", "..", "a/b"])
    def test_its_files_are_names_in_that_folder(self, tmp_path: Path, name: str) -> None:
        receipt = stage(tmp_path, 1, FRAMES, {})
        tampered = type(receipt)(**{**vars(receipt), "checksums": {name: "0" * 64}})
        with pytest.raises(StagingError, match="outside the work folder"):
            rooted(tampered, tmp_path)

    def test_a_link_in_it_is_not_followed(self, tmp_path: Path) -> None:
        staged = make_private(tmp_path / "staged")
        receipt = stage(staged, 1, FRAMES, {})
        outside = tmp_path / "outside.parquet"
        shutil.copy(receipt.file("mentions"), outside)
        receipt.file("mentions").unlink()
        receipt.file("mentions").symlink_to(outside)
        with pytest.raises(StagingError, match="outside the work folder"):
            rooted(receipt, staged)
        assert finished_receipts(staged) == {}
        assert outside.exists()

    def test_a_linked_folder_is_not_followed(self, tmp_path: Path) -> None:
        staged, outside = make_private(tmp_path / "staged"), make_private(tmp_path / "outside")
        receipt = stage(outside, 1, FRAMES, {})
        (staged / receipt.path.name).symlink_to(receipt.path)
        assert finished_receipts(staged) == {}
        assert receipt.file("mentions").exists()


def planned(bench: Bench, connection: Connection, source: Path) -> Session:
    """A run whose plan is stored."""
    order, work = bench.order(source), WorkFolder.beside(bench.warehouse)
    make_private(work.root)
    run_id = runs.new_run_id()
    runs.begin_run(connection, run_id, order)
    planner = Planner(connection, order, work, run_id)
    planner.commit(planner.read(), 0.0)
    return Session(run_id, connection, order, work, Reporter(run_id, None, quiet=True))


def test_the_writer_loads_what_lies_in_the_work_folder_wherever_a_receipt_points(
    bench: Bench, tmp_path: Path
) -> None:
    source = write_jsonl(tmp_path / "notes.jsonl", {"id": "1", "text": "Asthma today."})
    planted = write_jsonl(tmp_path / "planted.jsonl", {"id": "evil", "text": "Planted here."})
    elsewhere = Bench(tmp_path / "elsewhere.duckdb")
    with open_warehouse(elsewhere.warehouse) as other:
        false = planned(elsewhere, other, planted)
        (shard,) = runs.planned_shards(other, false.run_id)
        false_receipt = annotate_by_rule(
            "rule-1", Path(shard.path), false.work.staged(false.run_id), 1
        )
    with open_warehouse(bench.warehouse) as connection:
        session = planned(bench, connection, source)
        path = session.work.shard(session.run_id, 1)
        receipt = annotate_by_rule("rule-1", path, session.work.staged(session.run_id), 1)
        file = receipt.path / RECEIPT
        write_receipt(file, replace(receipt, folder=false_receipt.folder))
        assert _recover(connection, session.order, session.work) == [session.run_id]
        AnnotateStage(session)
        assert connection.execute("SELECT document_id FROM mentions").fetchall() == [("notes:1",)]
        assert connection.execute("SELECT document_id FROM documents").fetchall() == [("notes:1",)]
    assert Path(shard.path).exists() and false_receipt.path.exists()


def test_a_plan_that_points_elsewhere_is_given_up(bench: Bench, tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "notes.jsonl", {"id": "1", "text": "Asthma today."})
    with open_warehouse(bench.warehouse) as connection:
        session = planned(bench, connection, source)
        elsewhere = tmp_path / "elsewhere.parquet"
        shutil.copy(session.work.shard(session.run_id, 1), elsewhere)
        connection.execute("UPDATE shards SET path = ?", [str(elsewhere)])
        assert _recover(connection, session.order, session.work) == []
    assert elsewhere.exists()
    assert bench.run(source).new == 1


@pytest.mark.parametrize("run_id", ["../../elsewhere", "..", "/etc", "", "."])
def test_a_run_id_is_a_name(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(CharthouseError):
        WorkFolder(tmp_path).run(run_id)
