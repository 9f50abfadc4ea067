"""Snapshots: what analysts get, what is never replaced, and what a kill leaves."""

from __future__ import annotations

import signal
import stat
import sys
from pathlib import Path

import duckdb
import pytest

from flows.cli.main import _run
from flows.errors import CharthouseError
from flows.schema import SALTS
from flows.warehouse.access import Access
from flows.warehouse.connection import open_warehouse, read_warehouse
from flows.warehouse.copying import write_copy
from flows.warehouse.problems import WarehouseError
from flows.warehouse.snapshots import check_snapshot, publish, publish_if_changed, renew_known
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.holding import start
from tests.flows.runs import contents

ACCESS = Access()

DESCRIBED = (
    "SELECT table_name, comment, sql FROM duckdb_tables() ORDER BY ALL",
    "SELECT view_name, comment, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL",
    "SELECT table_name, column_name, column_index, comment, data_type, is_nullable "
    "FROM duckdb_columns() WHERE NOT internal ORDER BY ALL",
    "SELECT table_name, constraint_text FROM duckdb_constraints() ORDER BY ALL",
    "SELECT function_name, parameters, macro_definition, comment FROM duckdb_functions() "
    "WHERE NOT internal ORDER BY ALL",
)


def described(path: Path) -> list[list[tuple[object, ...]]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return [connection.execute(query).fetchall() for query in DESCRIBED]


@pytest.fixture
def filled(bench: Bench, tmp_path: Path) -> Bench:
    notes = [
        {"id": str(n), "text": f"Asthma number {n}.", "person": f"p{n % 7}"} for n in range(50)
    ]
    bench.run(write_jsonl(tmp_path / "notes.jsonl", *notes))
    return bench


def snap(bench: Bench, path: Path) -> None:
    with open_warehouse(bench.warehouse) as connection:
        publish(connection, bench.warehouse, path, ACCESS)


def test_it_equals_the_warehouse_with_views_macros_comments_and_keys(
    filled: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "s.duckdb"
    snap(filled, path)
    assert contents(path) == contents(filled.warehouse)
    assert described(path) == described(filled.warehouse)
    with open_warehouse(filled.warehouse), read_warehouse(path) as connection:
        assert connection.execute("SELECT count(*) FROM entities").fetchall() == [(50,)]
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "notes.jsonl",
        "s.duckdb",
        "w.duckdb",
        "w.duckdb.work",
    }


def test_the_tables_of_others_come_along(filled: Bench, tmp_path: Path) -> None:
    with open_warehouse(filled.warehouse) as connection:
        connection.execute('CREATE SCHEMA "of us"')
        connection.execute('CREATE TABLE "of us"."a ""b""" (a INTEGER, "b c" AS (a + 1))')
        connection.execute('INSERT INTO "of us"."a ""b""" VALUES (1)')
        publish(connection, filled.warehouse, tmp_path / "s.duckdb", ACCESS)
    with read_warehouse(tmp_path / "s.duckdb") as connection:
        assert connection.execute('FROM "of us"."a ""b"""').fetchall() == [(1, 2)]


def test_a_reader_keeps_what_it_opened_and_the_next_sees_the_new_one(
    filled: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "s.duckdb"
    snap(filled, path)
    count = "SELECT count(*) FROM documents"
    opened = start(
        "import duckdb, sys, time, pathlib\n"
        "connection = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print('open', flush=True)\n"
        "go = pathlib.Path(sys.argv[2])\n"
        "while not go.exists(): time.sleep(0.02)\n"
        f"print(connection.execute('{count}').fetchall()[0][0])\n",
        path,
        tmp_path / "go",
    )
    assert opened.stdout is not None and opened.stdout.readline() == "open\n"
    filled.run(write_jsonl(tmp_path / "more.jsonl", {"id": "x", "text": "Fever."}))
    snap(filled, path)
    (tmp_path / "go").touch()
    printed, errors = opened.communicate(timeout=60)
    assert printed == "50\n", errors
    with read_warehouse(path) as connection:
        assert connection.execute(count).fetchall() == [(51,)]


def test_nobody_may_write_it_and_rights_given_to_readers_stay(
    filled: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "s.duckdb"
    snap(filled, path)
    assert not stat.S_IMODE(path.stat().st_mode) & 0o222
    path.chmod(0o440)
    snap(filled, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o440


def test_it_has_no_salt(filled: Bench, tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with open_warehouse(filled.warehouse) as connection:
        connection.execute(f"INSERT INTO {SALTS.name} VALUES ('forgotten', 'grainsofsalt')")
        publish(connection, filled.warehouse, path, ACCESS)
    assert b"grainsofsalt" not in path.read_bytes()
    assert contents(path)[SALTS.name] == []


def test_paths_that_cannot_be_are_refused_at_the_door(filled: Bench, tmp_path: Path) -> None:
    warehouse = filled.warehouse
    link, hard = tmp_path / "link.duckdb", tmp_path / "hard.duckdb"
    link.symlink_to(warehouse)
    hard.hardlink_to(warehouse)
    own = (warehouse, link, hard, tmp_path / "x" / ".." / "w.duckdb", tmp_path / "w.duckdb.wal")
    for path in (*own, tmp_path / "w.duckdb.work" / "s.duckdb", tmp_path / "w.duckdb.tmp"):
        with pytest.raises(CharthouseError, match="the warehouse itself or one of its own files"):
            check_snapshot(path, warehouse, ACCESS)
    with pytest.raises(CharthouseError, match="folder does not exist"):
        check_snapshot(tmp_path / "none" / "s.duckdb", warehouse, ACCESS)
    with pytest.raises(CharthouseError, match="DuckDB reads these as a pattern"):
        check_snapshot(tmp_path / "s*.duckdb", warehouse, ACCESS)


def test_what_is_no_snapshot_is_never_replaced(filled: Bench, tmp_path: Path) -> None:
    notes, other, folder = tmp_path / "letter.txt", tmp_path / "o.duckdb", tmp_path / "folder"
    notes.write_text("a letter")
    folder.mkdir()
    with open_warehouse(other):
        pass
    for path in (notes, other, folder):
        with pytest.raises(CharthouseError, match="is no snapshot"):
            snap(filled, path)
    assert notes.read_text() == "a letter"


def test_a_failed_copy_leaves_the_former_one_and_no_litter(
    filled: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.duckdb"
    snap(filled, path)
    before, names = path.read_bytes(), set(tmp_path.iterdir())

    def full(file: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flows.warehouse.copying.sync_file", full)
    with pytest.raises(WarehouseError, match="no copy could be written"):
        snap(filled, path)
    assert path.read_bytes() == before
    assert set(tmp_path.iterdir()) == names


_PUBLISH = """
import sys, time
from pathlib import Path
import flows.warehouse.copying as copying
from flows.warehouse.access import Access
from flows.warehouse.connection import open_warehouse
from flows.warehouse.snapshots import publish
def linger(path):
    print("copied", flush=True)
    time.sleep(100)
copying.sync_file = linger
with open_warehouse(Path(sys.argv[1])) as connection:
    publish(connection, Path(sys.argv[1]), Path(sys.argv[2]), Access())
"""


def test_a_kill_in_the_midst_leaves_the_former_one_whole(filled: Bench, tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    snap(filled, path)
    before = path.read_bytes()
    killed = start(_PUBLISH, filled.warehouse, path)
    assert killed.stdout is not None and killed.stdout.readline() == "copied\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert path.read_bytes() == before
    assert (tmp_path / ".s.duckdb.new").exists(), "the kill came too late to show anything"
    snap(filled, path)
    assert contents(path) == contents(filled.warehouse)
    assert not list(tmp_path.glob(".*"))


def test_it_is_published_when_something_changed_and_only_then(
    filled: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "s.duckdb"

    def published() -> bool:
        with open_warehouse(filled.warehouse) as connection:
            return publish_if_changed(connection, filled.warehouse, path, ACCESS)

    assert published()
    assert not published()
    filled.run(tmp_path / "notes.jsonl")  # nothing new
    assert not published()
    for change in (
        "UPDATE documents SET metadata_hash = 'x' WHERE native_id = '3'",
        "UPDATE document_annotations SET is_current = false WHERE document_id = 'notes:3'",
        "DELETE FROM documents WHERE native_id = '4'",
        "INSERT INTO forgotten VALUES ('hash', 'person', now()::TIMESTAMP)",
        "INSERT INTO linksets VALUES ('l', 'r', 1, true, '{}', now()::TIMESTAMP)",
    ):
        with open_warehouse(filled.warehouse) as connection:
            connection.execute(change)
        assert published(), change
        assert not published(), change
    path.unlink()
    assert published()


def test_known_snapshots_are_renewed_where_they_still_are(filled: Bench, tmp_path: Path) -> None:
    kept, gone = tmp_path / "kept.duckdb", tmp_path / "gone.duckdb"
    snap(filled, kept)
    snap(filled, gone)
    gone.unlink()
    with open_warehouse(filled.warehouse) as connection:
        connection.execute("DELETE FROM documents")
        assert renew_known(connection, filled.warehouse, ACCESS) == 1
        assert connection.execute("SELECT path FROM snapshots").fetchall() == [(str(kept),)]
    assert contents(kept)["documents"] == []
    assert not gone.exists()


def test_keys_of_many_rows_do_not_need_the_memory_that_loads_are_held_to(
    filled: Bench, tmp_path: Path
) -> None:
    with open_warehouse(filled.warehouse) as connection:
        connection.execute(
            "INSERT INTO document_annotations BY NAME SELECT md5(i::VARCHAR) AS document_id, "
            "'a' AS annotation_id, 'h' AS source_hash, 'r' AS run_id, 's' AS shard_id, "
            "'done' AS status, true AS is_current FROM range(600000) t(i)"
        )
        connection.execute("DELETE FROM document_annotations WHERE document_id LIKE 'a%'")
        count = "SELECT count(*), count(DISTINCT document_id) FROM document_annotations"
        expected = connection.execute(count).fetchall()
        connection.execute("SET memory_limit = '64MiB'")
        ((bound,),) = connection.execute("SELECT current_setting('memory_limit')").fetchall()
        publish(connection, filled.warehouse, tmp_path / "s.duckdb", ACCESS)
        assert connection.execute("SELECT current_setting('memory_limit')").fetchall() == [(bound,)]
    with read_warehouse(tmp_path / "s.duckdb") as connection:
        assert connection.execute(count).fetchall() == expected


def test_a_copy_is_counted_before_it_is_trusted(filled: Bench, tmp_path: Path) -> None:
    with open_warehouse(filled.warehouse) as connection:
        copy = write_copy(connection, tmp_path / "c.duckdb", ACCESS)
        ((alias,),) = connection.execute("SELECT count(*) FROM duckdb_databases()").fetchall()
    assert copy.exists() and alias == 3, "the copy is not attached any more"
    assert contents(copy)["documents"] == contents(filled.warehouse)["documents"]


def test_the_command_publishes_and_says_so(
    filled: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "s.duckdb"
    given = ["charthouse", "snapshot", "-w", str(filled.warehouse)]
    monkeypatch.setattr(sys, "argv", given)
    assert _run() == 2
    monkeypatch.setenv("CHARTHOUSE_WAREHOUSE__SNAPSHOT", str(path))
    assert _run() == 0
    assert str(path) in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*given, "--out", str(filled.warehouse)])
    assert _run() == 1
    assert "the warehouse itself" in capsys.readouterr().err
    assert contents(path) == contents(filled.warehouse)
