"""The warehouse file: what opens, what is refused, and what the declarations make of it."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from flows.schema import BIG_TABLES, KEYED_TABLES, MIGRATIONS, SCHEMA_VERSION, TABLES
from flows.warehouse.connection import (
    Connection,
    WarehouseError,
    open_warehouse,
    read_warehouse,
)
from flows.warehouse.ddl import sql_type


def test_tables_are_as_declared(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as connection:
        for table in TABLES:
            found = {
                name: (kind, null == "YES")
                for name, kind, null, *_ in connection.execute(f"DESCRIBE {table.name}").fetchall()
            }
            declared = {c.name: (sql_type(c.dtype), c.nullable) for c in table.columns}
            assert {n: (k.replace('"', ""), v) for n, (k, v) in found.items()} == {
                n: (k.replace('"', ""), v) for n, (k, v) in declared.items()
            }, table.name


def test_meanings_stand_in_the_warehouse(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as connection:
        silent = connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() "
            "WHERE schema_name = 'main' AND comment IS NULL AND table_name != 'schema_version' "
            "AND table_name NOT IN (SELECT view_name FROM duckdb_views()) AND NOT internal"
        ).fetchall()
    assert silent == []


def test_only_ledger_and_dimensions_have_keys(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as connection:
        keyed = connection.execute(
            "SELECT table_name FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'"
        ).fetchall()
    assert {name for (name,) in keyed} == {table.name for table in KEYED_TABLES}
    assert not {table.name for table in BIG_TABLES} & {table.name for table in KEYED_TABLES}


def test_foreign_and_newer_files_are_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(foreign)) as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
    with pytest.raises(WarehouseError, match="no charthouse warehouse"), open_warehouse(foreign):
        pass
    text = tmp_path / "text.duckdb"
    text.write_text("not a database, whatever its name says" * 200)
    with pytest.raises(WarehouseError), open_warehouse(text):
        pass
    newer = tmp_path / "newer.duckdb"
    with open_warehouse(newer) as connection:
        connection.execute("UPDATE schema_version SET version = 999")
    with pytest.raises(WarehouseError, match="version 999"), open_warehouse(newer):
        pass


def _undo_migrations(connection: Connection) -> None:
    for statement in itertools.chain(*MIGRATIONS.values()):
        undone = re.sub(r"ADD COLUMN ([\w.]+) .*", r"DROP COLUMN \1", statement)
        undone = undone.replace("DROP NOT NULL", "SET NOT NULL")
        assert undone != statement
        connection.execute(undone)


def test_an_older_warehouse_is_brought_to_this_schema(tmp_path: Path) -> None:
    older = tmp_path / "older.duckdb"
    with open_warehouse(older) as connection:
        connection.execute("UPDATE schema_version SET version = 1")
        connection.execute("DROP TABLE concept_replacements")
        _undo_migrations(connection)
        connection.execute(
            "INSERT INTO concept_names (release_id, concept_id, name, is_preferred) "
            "VALUES ('r', 'MESH:D003920', 'Diabetes Mellitus', true)"
        )
    with read_warehouse(older) as connection:
        assert connection.execute("SELECT count(*) FROM entities").fetchall() == [(0,)]
    with open_warehouse(older) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [
            (SCHEMA_VERSION,)
        ]
        there = connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns() "
            "WHERE table_name != 'schema_version'"
        ).fetchall()
        kept = connection.execute("SELECT name, lexical_tag FROM concept_names").fetchall()
    with open_warehouse(tmp_path / "new.duckdb") as connection:
        new = connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns() "
            "WHERE table_name != 'schema_version'"
        ).fetchall()
    assert sorted(map(str, there)) == sorted(map(str, new))
    assert kept == [("Diabetes Mellitus", None)]


def test_views_that_an_older_release_did_not_make_are_there_once_it_is_opened(
    tmp_path: Path,
) -> None:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as connection:
        connection.execute("DROP VIEW relation_entities")
    with open_warehouse(path):
        pass
    with read_warehouse(path) as connection:
        assert connection.execute("FROM relation_entities").fetchall() == []


def test_a_migration_that_fails_or_is_killed_leaves_the_older_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older.duckdb"
    with open_warehouse(older) as connection:
        connection.execute("UPDATE schema_version SET version = 1")
        connection.execute("DROP TABLE evaluations")
        _undo_migrations(connection)

    def state() -> list[tuple[object, ...]]:
        with duckdb.connect(str(older), read_only=True) as connection:
            return connection.execute(
                "SELECT table_name, column_name, (FROM schema_version) FROM duckdb_columns() "
                "WHERE NOT internal ORDER BY ALL"
            ).fetchall()

    before = state()
    # The tables that are newer come last: all steps have been taken by then.
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sys, pathlib\n"
            "from flows.warehouse import connection, layout\n"
            "layout.create = lambda connection, table: os.kill(os.getpid(), 9)\n"
            "connection.open_warehouse(pathlib.Path(sys.argv[1])).__enter__()\n",
            str(older),
        ],
        check=False,
    )
    assert killed.returncode == -9
    assert state() == before
    with monkeypatch.context() as patched:
        patched.setitem(
            MIGRATIONS,
            SCHEMA_VERSION - 1,
            (*MIGRATIONS[SCHEMA_VERSION - 1], "SELECT error('full')"),
        )
        with pytest.raises(duckdb.Error), open_warehouse(older):
            pass
    assert state() == before
    with open_warehouse(older) as connection:
        assert connection.execute("FROM schema_version").fetchall() == [(SCHEMA_VERSION,)]


def test_missing_warehouse_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="does not exist"), read_warehouse(tmp_path / "w"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_holder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path):
        pass
    hold = f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('held', flush=True)"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold + "; time.sleep(60)"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        for opening in (open_warehouse, read_warehouse):
            with pytest.raises(WarehouseError, match=f"process {holder.pid}"), opening(path):
                pass
    finally:
        holder.kill()
        holder.wait()
