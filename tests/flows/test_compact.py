"""Compaction: the same tables in a smaller file, and the former one until that is durable."""

from __future__ import annotations

import json
import signal
import stat
import sys
from pathlib import Path

import pytest

from flows.cli.main import _run
from flows.errors import CharthouseError
from flows.forget import compact_warehouse
from flows.warehouse import runs
from flows.warehouse.access import Access
from flows.warehouse.connection import open_warehouse
from flows.warehouse.problems import WarehouseError
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.holding import start
from tests.flows.runs import contents
from tests.flows.test_snapshot import described

ACCESS = Access(say=lambda line: None)


@pytest.fixture
def hollow(bench: Bench, tmp_path: Path) -> Bench:
    """A warehouse that has shrunk: most of its file is free space."""
    source = write_jsonl(tmp_path / "notes.jsonl", {"id": "1", "text": "Asthma."})
    bench.run(source)
    with open_warehouse(bench.warehouse) as connection:
        connection.execute(
            "INSERT INTO name_links BY NAME SELECT md5(i::VARCHAR) AS lookup_text, "
            "md5(i::VARCHAR || 'l') AS label, 'l' AS linkset_id, 1 AS rank, 'linked' AS status "
            "FROM range(100000) t(i)"
        )
        connection.execute("CHECKPOINT")
        # What lies behind it keeps DuckDB from cutting the file off.
        connection.execute(
            "INSERT INTO concept_names BY NAME SELECT 'r' AS release_id, md5(i::VARCHAR) AS "
            "concept_id, md5(i::VARCHAR || 'n') AS name, true AS is_preferred "
            "FROM range(20000) t(i)"
        )
        connection.execute("CHECKPOINT")
        connection.execute("DELETE FROM name_links")
    source.unlink()
    return bench


def test_the_tables_stay_and_the_space_goes(hollow: Bench, tmp_path: Path) -> None:
    hollow.warehouse.chmod(0o640)
    before, layout = contents(hollow.warehouse), described(hollow.warehouse)
    size = hollow.warehouse.stat().st_size
    renewed, compacted = compact_warehouse(hollow.warehouse, ACCESS)
    assert (renewed, compacted.before) == (0, size)
    assert compacted.after == hollow.warehouse.stat().st_size < size / 1.5
    assert contents(hollow.warehouse) == before
    assert described(hollow.warehouse) == layout
    assert stat.S_IMODE(hollow.warehouse.stat().st_mode) == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"w.duckdb", "w.duckdb.work"}
    # The order of rows is kept too: nothing that scans a table sees another one.
    assert compact_warehouse(hollow.warehouse, ACCESS)[1].after == compacted.after


def test_a_link_to_the_warehouse_stays_one(hollow: Bench, tmp_path: Path) -> None:
    link = tmp_path / "link.duckdb"
    link.symlink_to(hollow.warehouse)
    compact_warehouse(link, ACCESS)
    assert link.is_symlink() and not hollow.warehouse.is_symlink()
    assert hollow.query("SELECT native_id FROM documents") == [("1",)]


def test_a_run_that_did_not_end_comes_first(hollow: Bench, tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "notes.jsonl", {"id": "1", "text": "Asthma."})
    with open_warehouse(hollow.warehouse) as connection:
        runs.begin_run(connection, runs.new_run_id(), hollow.order(source))
    before = hollow.warehouse.read_bytes()
    with pytest.raises(CharthouseError, match="a run that did not end"):
        compact_warehouse(hollow.warehouse, ACCESS)
    assert hollow.warehouse.read_bytes() == before


def test_a_disk_that_is_full_leaves_it_as_it_was(
    hollow: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hollow.query("CHECKPOINT")
    before, names = contents(hollow.warehouse), set(tmp_path.iterdir())

    def full(file: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flows.warehouse.copying.sync_file", full)
    with pytest.raises(WarehouseError, match="no copy could be written"):
        compact_warehouse(hollow.warehouse, ACCESS)
    assert contents(hollow.warehouse) == before
    assert set(tmp_path.iterdir()) == names


_COMPACT = """
import os, sys
from pathlib import Path
from flows.forget import compact_warehouse
from flows.warehouse import compacting, copying
from flows.warehouse.access import Access
moments = {"copied": (copying, "sync_file"), "renamed": (compacting, "sync_folder")}
setattr(*moments[sys.argv[2]], lambda path: os.kill(os.getpid(), 9))
compact_warehouse(Path(sys.argv[1]), Access())
"""


@pytest.mark.parametrize("moment", ["copied", "renamed"])
def test_a_kill_loses_nothing_and_leaves_nothing_for_ever(
    hollow: Bench, tmp_path: Path, moment: str
) -> None:
    before = contents(hollow.warehouse)
    killed = start(_COMPACT, hollow.warehouse, moment)
    _, errors = killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL, errors
    assert contents(hollow.warehouse) == before
    assert (tmp_path / ".w.duckdb.new").exists() is (moment == "copied")
    compact_warehouse(hollow.warehouse, ACCESS)
    assert contents(hollow.warehouse) == before
    assert not list(tmp_path.glob(".*"))


def test_the_command_says_what_it_gained(
    hollow: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["charthouse", "compact", "-w", str(hollow.warehouse)]
    monkeypatch.setattr(sys, "argv", [*given, "--json"])
    assert _run() == 0
    said = json.loads(capsys.readouterr().out)
    assert said["before"] > said["after"] > 0
    monkeypatch.setattr(sys, "argv", given)
    assert _run() == 0
    assert "bytes before" in capsys.readouterr().out
