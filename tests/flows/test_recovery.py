"""What the next run makes of one that did not end, without killing anything."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from flows.errors import CharthouseError
from flows.order import Order
from flows.plan import Planner
from flows.run import _recover, _stores
from flows.settings import Settings
from flows.sources import files_are_as_planned
from flows.warehouse import runs
from flows.warehouse.connection import Connection, open_warehouse
from flows.work import WorkFolder, make_private, remove_tree
from tests.flows.conftest import Bench

Notes = Callable[..., Path]


def begin(connection: Connection, order: Order, work: WorkFolder, *, plan: bool = True) -> str:
    """A run that stops after its plan is stored, or before."""
    make_private(work.root)
    run_id = runs.new_run_id()
    runs.begin_run(connection, run_id, order)
    if plan:
        planner = Planner(connection, order, work, run_id)
        planner.commit(planner.read(), 0.0)
    return run_id


@pytest.fixture
def work(bench: Bench) -> WorkFolder:
    return WorkFolder.beside(bench.warehouse)


def statuses(bench: Bench) -> dict[object, object]:
    return dict(bench.query("SELECT run_id, status FROM runs"))  # type: ignore[arg-type]


@pytest.mark.parametrize("planned", [True, False])
def test_same_order_goes_on_under_its_run_id(
    bench: Bench, notes: Notes, work: WorkFolder, planned: bool
) -> None:
    order = bench.order(notes(a="asthma today"))
    with open_warehouse(bench.warehouse) as connection:
        run_id = begin(connection, order, work, plan=planned)
        assert _recover(connection, order, work) == [run_id]
        assert runs.is_planned(connection, run_id) is planned


def test_planned_run_of_another_order_is_finished_first(
    bench: Bench, notes: Notes, work: WorkFolder
) -> None:
    other = bench.order(notes("other", b="gout today"))
    order = bench.order(notes(a="asthma today"))
    with open_warehouse(bench.warehouse) as connection:
        first = begin(connection, other, work)
        assert _recover(connection, order, work) == [first]
        assert runs.order_hash(connection, first) != order.order_hash


@pytest.mark.parametrize("reason", ["unplanned", "other annotations", "lost shards"])
def test_run_that_cannot_go_on_is_abandoned_and_its_files_read_again(
    bench: Bench, notes: Notes, work: WorkFolder, reason: str
) -> None:
    source = notes(a="asthma today")
    other = bench.order(source)
    with open_warehouse(bench.warehouse) as connection:
        run_id = begin(connection, other, work, plan=reason != "unplanned")
    if reason == "lost shards":
        remove_tree(work.root)
        make_private(work.root)
    elif reason == "other annotations":
        bench.annotation_id = "rule-2"
    order = bench.order(source, limit=5)
    with open_warehouse(bench.warehouse) as connection:
        assert _recover(connection, order, work) == []
    assert statuses(bench) == {run_id: "abandoned"}
    assert not (work.run(run_id)).exists()
    assert bench.run(source).new == 1


def test_reject_of_an_abandoned_run_is_new_again(
    bench: Bench, tmp_path: Path, work: WorkFolder
) -> None:
    source = tmp_path / "x.jsonl"
    source.write_text('{"id": "a", "text": "asthma today"}\n{"id": "b", "text":\n')
    order = bench.order(source)
    with open_warehouse(bench.warehouse) as connection:
        lost = begin(connection, order, work)
        remove_tree(work.root)
        make_private(work.root)
        assert _recover(connection, order, work) == []
    bench.run(source)
    ((run_id,),) = bench.query("SELECT run_id FROM rejects")
    assert run_id != lost


def test_file_that_changed_after_planning_is_noticed(
    bench: Bench, notes: Notes, work: WorkFolder
) -> None:
    order = bench.order(notes(a="asthma today"))
    with open_warehouse(bench.warehouse) as connection:
        begin(connection, order, work)
        assert files_are_as_planned(connection, order)
        notes(a="asthma today", b="gout today")
        assert not files_are_as_planned(connection, order)


def test_second_numbered_file_of_a_corpus_is_refused(bench: Bench, tmp_path: Path) -> None:
    """Row numbers of a later file would replace those of an earlier one."""
    for day in ("monday", "tuesday"):
        (tmp_path / day).mkdir()
        (tmp_path / day / "notes.csv").write_text(f"text\nasthma on {day}\n")
    bench.run(tmp_path / "monday" / "notes.csv")
    with pytest.raises(CharthouseError, match="number their records"):
        bench.run(tmp_path / "tuesday" / "notes.csv")
    assert bench.query("SELECT count(*) FROM documents") == [(1,)]


def test_folder_named_like_a_partition_changes_no_column(tmp_path: Path, notes: Notes) -> None:
    folder = tmp_path / "corpus=other" / "label=Wrong"
    folder.mkdir(parents=True)
    bench = Bench(folder / "w.duckdb")
    bench.run(notes(a="asthma today"))
    assert bench.query("SELECT corpus FROM documents") == [("notes",)]
    assert bench.query("SELECT label FROM mentions") == [("Disease",)]


@pytest.mark.parametrize("left", ["nothing", "no tables"])
def test_warehouse_that_a_kill_left_half_made_is_used(
    bench: Bench, notes: Notes, left: str
) -> None:
    if left == "nothing":
        bench.warehouse.touch()
    else:
        duckdb.connect(str(bench.warehouse)).close()
    assert _stores(bench.warehouse, Settings()) == ("sample",)
    assert bench.run(notes(a="asthma today")).new == 1


def test_runs_sort_as_they_began_whatever_the_clock_says(
    bench: Bench, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = [12, 12, 9, 10, 11]
    for number, hour in enumerate(hours):
        monkeypatch.setattr(runs, "now", lambda hour=hour: datetime(2026, 5, 4, hour))
        bench.run(notes(f"n{number}", **{f"d{number}": f"asthma{number} today"}))
    began = bench.query("SELECT run_id FROM document_annotations ORDER BY document_id")
    assert began == sorted(began)
    assert len(set(began)) == len(hours)
    assert all(runs.is_run_id(str(run_id)) for (run_id,) in began)


def test_modification_times_are_compared_and_never_ordered(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today")
    os.utime(source, (4_000_000_000, 4_000_000_000))  # in the year 2096
    assert bench.run(source).new == 1
    assert bench.run(source).skipped == 1
    source = notes(a="asthma today", b="gout today")
    os.utime(source, (1_000_000_000, 1_000_000_000))  # older than what it replaces
    assert bench.run(source).new == 1
    os.utime(source, (4_000_000_000, 4_000_000_000))
    assert bench.run(source).skipped == 2
