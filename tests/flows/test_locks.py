"""Two processes and one warehouse: who waits, who is told what, and that nothing is lost."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from flows.cli.main import _run
from flows.processes import Interrupted, stoppable
from flows.warehouse.access import Access
from flows.warehouse.connection import (
    WarehouseBusyError,
    open_warehouse,
    read_warehouse,
    remove_if_unused,
)
from flows.warehouse.door import door
from flows.work import WorkFolder, make_private
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.holding import finish, held, start


def write_sidecar(warehouse: Path, pid: int, *, updated_at: float) -> None:
    work = WorkFolder.beside(warehouse)
    make_private(work.root)
    said = {
        "run_id": "20260102T030405-abcdef",
        "pid": pid,
        "stage": "annotating",
        "done": 1,
        "total": 2,
        "unit": "documents",
        "rate": 1.0,
        "started_at": 1767323045.0,
        "updated_at": updated_at,
    }
    work.status.write_text(json.dumps(said), encoding="utf-8")


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path):
        pass
    return path


def test_the_run_that_holds_it_is_named_with_its_start(warehouse: Path) -> None:
    with held(warehouse) as pid:
        write_sidecar(warehouse, pid, updated_at=0.0)
        with pytest.raises(WarehouseBusyError) as raised, open_warehouse(warehouse):
            pass
    assert raised.value.pid == pid
    assert f"process {pid} (run 20260102T030405-abcdef, since 2026-01-02 03:04:05 UTC)" in str(
        raised.value
    )


def test_a_killed_runs_sidecar_says_nothing_of_who_came_after(warehouse: Path) -> None:
    with held(warehouse, to_read=True) as pid:
        write_sidecar(warehouse, 1, updated_at=time.time() - 3600)
        with pytest.raises(WarehouseBusyError) as raised, open_warehouse(warehouse):
            pass
    assert f"process {pid}." in str(raised.value)


def test_status_shows_the_run_at_work(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["charthouse", "status", "-w", str(warehouse), "-f", "json"])
    with held(warehouse) as pid:
        write_sidecar(warehouse, pid, updated_at=time.time())
        assert _run() == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert shown["run_id"] == "20260102T030405-abcdef" and shown["stage"] == "annotating"
    assert shown["started_at"] == "2026-01-02T03:04:05" and shown["seconds_left"] == 1


def test_status_fits_a_pipe_and_a_narrow_terminal(
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench.run(write_jsonl(tmp_path / "n.jsonl", {"id": "a", "text": "Asthma."}))
    with read_warehouse(bench.warehouse) as connection:
        ((run_id, started),) = connection.execute(
            "SELECT run_id, strftime(started_at, '%Y-%m-%d %H:%M') FROM runs"
        ).fetchall()
    monkeypatch.setattr(sys, "argv", ["charthouse", "status", "-w", str(bench.warehouse)])
    monkeypatch.delenv("COLUMNS", raising=False)
    assert _run() == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split()[:2] == ["run_id", "job"] and row.split()[0] == run_id
    assert started in row  # nothing is cut where there is no width
    monkeypatch.setenv("COLUMNS", "60")
    assert _run() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["run_id", run_id] and max(map(len, lines)) <= 60
    assert ["started_at", *started.split()] in [line.split() for line in lines]


@pytest.mark.parametrize("sidecar", ["", "[]", "{}", '{"pid": 1', '{"run_id": 1, "pid": "x"}'])
def test_a_damaged_sidecar_does_not_hide_who_holds_it(warehouse: Path, sidecar: str) -> None:
    work = WorkFolder.beside(warehouse)
    make_private(work.root)
    work.status.write_text(sidecar, encoding="utf-8")
    with held(warehouse) as pid:  # noqa: SIM117
        with pytest.raises(WarehouseBusyError, match=f"process {pid}"), read_warehouse(warehouse):
            pass


def test_whoever_waits_gets_it_when_the_other_ends(warehouse: Path) -> None:
    said: list[str] = []
    access = Access(wait_seconds=120, say=said.append)
    with held(warehouse, seconds=1) as pid, open_warehouse(warehouse, access) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchall() == [(0,)]
    assert len(said) == 1 and f"process {pid}" in said[0]


def test_patience_ends(warehouse: Path) -> None:
    access = Access(wait_seconds=0.5, say=lambda line: None)
    with held(warehouse):
        began = time.monotonic()
        with pytest.raises(WarehouseBusyError), read_warehouse(warehouse, access):
            pass
        assert time.monotonic() - began >= 0.5


def test_a_stop_ends_the_wait(warehouse: Path) -> None:
    access = Access(wait_seconds=3600, say=lambda line: None)
    with held(warehouse), stoppable() as stop:
        stop.ask()
        with pytest.raises(Interrupted), open_warehouse(warehouse, access):
            pass


def test_readers_do_not_exclude_each_other(warehouse: Path) -> None:
    with held(warehouse, to_read=True), read_warehouse(warehouse) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchall() == [(0,)]


WRITING = [
    ["run", "NOTES", "-w", "W"],
    ["forget", "-w", "W", "--document", "notes:1"],
    ["remember", "-w", "W", "--document", "notes:1"],
    ["compact", "-w", "W"],
    ["snapshot", "-w", "W", "--out", "S"],
    ["evaluate", "ner", "GOLD", "--no-prefect", "-w", "W"],
]
READING = [
    ["relink", "-w", "W"],  # looks into it before it writes
    ["sql", "-w", "W", "SELECT 1"],
    ["tables", "-w", "W"],
    ["rejects", "-w", "W"],
    ["check", "-w", "W"],
    ["diff", "previous", "latest", "-w", "W"],
    ["status", "-w", "W"],
    ["forget", "-w", "W", "--document", "notes:1", "--dry-run"],
    ["generate", "text", "-w", "W"],  # looks at the condition before it loads a model
    ["evaluate", "ner", "GOLD", "--no-prefect", "--from-warehouse", "W"],
]


@pytest.mark.parametrize(
    ("command", "to_read"),
    [(command, False) for command in [*WRITING, *READING]]
    + [(command, True) for command in WRITING],
)
def test_every_command_says_who_holds_it(
    warehouse: Path,
    command: list[str],
    to_read: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = warehouse.parent
    gold = folder / "gold.pubtator"
    gold.write_text("1|t|Asthma.\n1|a|None.\n1\t0\t6\tAsthma\tDisease\tD001249\n\n")
    paths = {
        "W": warehouse,
        "S": folder / "s.duckdb",
        "GOLD": gold,
        "NOTES": write_jsonl(folder / "notes.jsonl", {"id": "1", "text": "Asthma."}),
    }
    arguments = [str(paths.get(argument, argument)) for argument in command]
    monkeypatch.setattr(sys, "argv", ["charthouse", *arguments])
    with held(warehouse, to_read=to_read) as pid:
        assert _run() == 1
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("charthouse: warehouse ") and f"in use by process {pid}" in line


_OPEN_AND_WRITE = """
import sys
from pathlib import Path
from flows.warehouse.access import Access
from flows.warehouse.connection import open_warehouse
path, name, rows = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
access = Access(wait_seconds=200, say=lambda line: None)
for number in range(rows):
    with open_warehouse(path, access) as connection:
        connection.execute("INSERT INTO models VALUES (?, 'm', [])", [f"{name}-{number}"])
"""


@pytest.mark.parametrize("there", [False, True], ids=["no file", "empty file"])
def test_many_may_make_the_same_warehouse_at_once(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "w.duckdb"
    if there:
        path.touch()  # as a kill leaves it
    writers = [start(_OPEN_AND_WRITE, path, str(number), "3") for number in range(5)]
    for writer in writers:
        finish(writer)
    with read_warehouse(path) as connection:
        assert connection.execute("SELECT count(*) FROM models").fetchall() == [(15,)]
    assert [entry.name for entry in tmp_path.iterdir()] == ["w.duckdb"]


def test_a_file_that_is_replaced_loses_no_ones_rows(warehouse: Path) -> None:
    from flows.forget import compact_warehouse

    writer = start(_OPEN_AND_WRITE, warehouse, "w", "15")
    compactions = 0
    while writer.poll() is None:
        compact_warehouse(warehouse, Access(wait_seconds=200, say=lambda line: None))
        compactions += 1
        time.sleep(0.3)  # nobody queues for a lock: let the other have a chance
    finish(writer)
    assert compactions > 1
    with read_warehouse(warehouse) as connection:
        assert connection.execute("SELECT count(*) FROM models").fetchall() == [(15,)]


def test_nobody_opens_while_a_file_is_made_or_replaced(warehouse: Path) -> None:
    with door(warehouse.parent):
        writer = start(_OPEN_AND_WRITE, warehouse, "w", "1")
        time.sleep(3)
        assert writer.poll() is None
        other = warehouse.with_name("other")
        warehouse.rename(other)
        other.rename(warehouse)
    finish(writer)
    with read_warehouse(warehouse) as connection:
        assert connection.execute("SELECT count(*) FROM models").fetchall() == [(1,)]


def test_an_unused_warehouse_goes_but_not_from_under_another(warehouse: Path) -> None:
    with held(warehouse):
        remove_if_unused(warehouse)
        assert warehouse.exists()
    remove_if_unused(warehouse)
    assert list(warehouse.parent.iterdir()) == []


def test_a_used_warehouse_stays(bench: Bench, tmp_path: Path) -> None:
    bench.run(write_jsonl(tmp_path / "notes.jsonl", {"id": "1", "text": "Asthma."}))
    remove_if_unused(bench.warehouse)
    assert bench.warehouse.exists()


def test_what_a_killed_process_left_is_removed(warehouse: Path) -> None:
    folder, copy = warehouse.with_name("w.duckdb.tmp"), warehouse.with_name(".w.duckdb.new")
    folder.mkdir()
    (folder / "duckdb_temp_storage_DEFAULT-0.tmp").write_text("of a document")
    copy.write_text("of a document")
    with open_warehouse(warehouse):
        assert not folder.exists() and not copy.exists()


def test_what_is_no_overflow_stays(warehouse: Path) -> None:
    folder = warehouse.with_name("w.duckdb.tmp")
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    with open_warehouse(warehouse):
        assert (folder / "letter.txt").read_text() == "mine"


def test_a_link_is_the_warehouse_it_leads_to(warehouse: Path) -> None:
    link = warehouse.with_name("link.duckdb")
    link.symlink_to(warehouse)
    writer = start(
        "import os, sys\n"
        "from pathlib import Path\n"
        "from flows.warehouse.connection import open_warehouse\n"
        "with open_warehouse(Path(sys.argv[1])) as connection:\n"
        "    connection.execute(\"INSERT INTO models VALUES ('f', 'm', [])\")\n"
        "    os.kill(os.getpid(), 9)  # leaves its log\n",
        link,
    )
    writer.communicate()
    with read_warehouse(warehouse) as connection:
        assert connection.execute("SELECT count(*) FROM models").fetchall() == [(1,)]
