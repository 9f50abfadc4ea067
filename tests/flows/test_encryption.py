"""Encryption at rest: real encrypted files, made by DuckDB's own code, which is for tests only."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flows.cli.main import _run
from flows.errors import CharthouseError
from flows.forget import compact_warehouse, forget
from flows.order import load_order, save_order
from flows.settings import Settings, WarehouseSettings
from flows.warehouse.access import Access, access_of
from flows.warehouse.connection import WarehouseBusyError, open_warehouse, read_warehouse
from flows.warehouse.erasing import Subjects
from flows.warehouse.problems import WarehouseError
from flows.warehouse.snapshots import publish
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.holding import start
from tests.flows.runs import charthouse

KEY = "correct horse ' battery; staple"
MARKER = "Zqxvkjw"
ACCESS = Access(key=KEY, unsafe_crypto=True, say=lambda line: None)


@pytest.fixture
def secret(bench: Bench, tmp_path: Path) -> Bench:
    """An encrypted warehouse with a few notes."""
    bench.access = ACCESS
    notes = [{"id": str(n), "text": f"{MARKER} and asthma."} for n in range(20)]
    bench.run(write_jsonl(tmp_path / "notes.jsonl", *notes))
    return bench


def test_no_text_is_readable_in_the_file_its_log_or_its_snapshot(
    secret: Bench, tmp_path: Path
) -> None:
    with open_warehouse(secret.warehouse, ACCESS) as connection:
        publish(connection, secret.warehouse, tmp_path / "s.duckdb", ACCESS)
    killed = start(
        "import os, sys\n"
        "from pathlib import Path\n"
        "from flows.warehouse.access import Access\n"
        "from flows.warehouse.connection import open_warehouse\n"
        "access = Access(key=sys.stdin.readline().strip(), unsafe_crypto=True)\n"
        "with open_warehouse(Path(sys.argv[1]), access) as connection:\n"
        f"    connection.execute(\"INSERT INTO models VALUES ('f', '{MARKER}', [])\")\n"
        "    os.kill(os.getpid(), 9)\n",
        secret.warehouse,
        stdin=KEY,
    )
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    files = [secret.warehouse, tmp_path / "w.duckdb.wal", tmp_path / "s.duckdb"]
    assert all(file.stat().st_size for file in files)
    assert not [file.name for file in files if MARKER.encode() in file.read_bytes()]
    with read_warehouse(secret.warehouse, replace(ACCESS, unsafe_crypto=False)) as connection:
        assert connection.execute("SELECT model FROM models").fetchall() == [(MARKER,)]
        assert connection.execute("SELECT count(*) FROM entities").fetchall() == [(20,)]
    with read_warehouse(tmp_path / "s.duckdb", ACCESS) as connection:
        assert connection.execute("SELECT count(*) FROM entities").fetchall() == [(20,)]

    plain = Bench(tmp_path / "plain.duckdb")
    plain.run(tmp_path / "notes.jsonl")
    assert MARKER.encode() in plain.warehouse.read_bytes(), "else nothing was shown above"


def test_a_second_run_compaction_and_forgetting_work_as_ever(secret: Bench, tmp_path: Path) -> None:
    assert secret.run(tmp_path / "notes.jsonl").skipped == 20
    snapshot = tmp_path / "s.duckdb"
    with open_warehouse(secret.warehouse, ACCESS) as connection:
        publish(connection, secret.warehouse, snapshot, ACCESS)
    outcome = forget(secret.warehouse, Subjects(documents=("notes:3",)), ACCESS)
    assert outcome.erased.documents == 1 and outcome.snapshots == 1
    assert compact_warehouse(secret.warehouse, ACCESS)[1].after > 0
    write_jsonl(tmp_path / "notes.jsonl", {"id": "3", "text": "Again."})
    assert secret.run(tmp_path / "notes.jsonl").forgotten == 1
    for path in (secret.warehouse, snapshot):
        with read_warehouse(path, ACCESS) as connection:
            assert connection.execute("SELECT count(*) FROM documents").fetchall() == [(19,)]
    assert not list(tmp_path.glob(".*"))


def test_a_plain_warehouse_and_its_snapshot_can_be_encrypted(tmp_path: Path) -> None:
    plain = Bench(tmp_path / "w.duckdb")
    plain.run(write_jsonl(tmp_path / "notes.jsonl", {"id": "1", "text": f"{MARKER} here."}))
    files = (plain.warehouse, tmp_path / "s.duckdb")
    with open_warehouse(plain.warehouse) as connection:
        publish(connection, plain.warehouse, files[1], Access())
    assert all(MARKER.encode() in file.read_bytes() for file in files)
    with pytest.raises(CharthouseError, match="no key to encrypt with"):
        compact_warehouse(plain.warehouse, Access(), encrypt=True)
    assert compact_warehouse(plain.warehouse, ACCESS, encrypt=True)[0] == 1
    for file in files:
        assert MARKER.encode() not in file.read_bytes()
        with read_warehouse(file, ACCESS) as connection:
            assert connection.execute("SELECT count(*) FROM entities").fetchall() == [(1,)]
    with pytest.raises(WarehouseError, match="is encrypted"):
        compact_warehouse(plain.warehouse, ACCESS, encrypt=True)


@pytest.mark.parametrize(
    ("key", "problem"), [(None, "is encrypted"), ("another", "has another key")]
)
@pytest.mark.parametrize("opening", [open_warehouse, read_warehouse])
def test_nothing_opens_it_without_its_key(
    secret: Bench, key: str | None, problem: str, opening: Callable[..., object]
) -> None:
    before = secret.warehouse.read_bytes()
    with pytest.raises(WarehouseError, match=problem) as raised:
        opening(secret.warehouse, replace(ACCESS, key=key)).__enter__()  # type: ignore[attr-defined]
    assert "another'" not in str(raised.value) and raised.value.__cause__ is None
    assert secret.warehouse.read_bytes() == before


def test_a_key_for_a_plain_warehouse_is_an_error(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb"):
        pass
    with (
        pytest.raises(WarehouseError, match="is not encrypted"),
        open_warehouse(tmp_path / "w.duckdb", ACCESS),
    ):
        pass


def test_who_holds_it_is_named(secret: Bench) -> None:
    holder = start(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from flows.warehouse.access import Access\n"
        "from flows.warehouse.connection import open_warehouse\n"
        "access = Access(key=sys.stdin.readline().strip(), unsafe_crypto=True)\n"
        "with open_warehouse(Path(sys.argv[1]), access):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(100)\n",
        secret.warehouse,
        stdin=KEY,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        for opening in (open_warehouse, read_warehouse):
            with pytest.raises(WarehouseBusyError, match=f"process {holder.pid}"):
                opening(secret.warehouse, ACCESS).__enter__()
    finally:
        holder.kill()
        holder.communicate()


def test_what_overflows_is_encrypted_and_lies_beside_the_warehouse(secret: Bench) -> None:
    with open_warehouse(secret.warehouse, ACCESS) as connection:
        settings = connection.execute(
            "SELECT current_setting('temp_file_encryption'), current_setting('temp_directory')"
        ).fetchall()
    assert settings == [(True, str(secret.warehouse) + ".tmp")]


def test_without_the_extension_the_way_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    access = replace(ACCESS, unsafe_crypto=False)
    with (
        pytest.raises(WarehouseError, match="INSTALL httpfs"),
        open_warehouse(tmp_path / "w.duckdb", access),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


class TestKey:
    def test_from_a_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = WarehouseSettings(key_variable="WARD_KEY")
        monkeypatch.delenv("WARD_KEY", raising=False)
        with pytest.raises(CharthouseError, match="WARD_KEY is to hold the warehouse's key"):
            access_of(settings)
        monkeypatch.setenv("WARD_KEY", KEY)
        assert access_of(settings).key == KEY

    @pytest.mark.parametrize("mode", [0o600, 0o400])
    def test_from_a_file_of_its_owner(self, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "key"
        path.write_text(KEY + "\n")
        path.chmod(mode)
        assert access_of(WarehouseSettings(key_file=path)).key == KEY

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700 | 0o001])
    def test_not_from_a_file_that_others_can_use(self, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "key"
        path.write_text(KEY)
        path.chmod(mode)
        with pytest.raises(CharthouseError, match=f"{mode:04o}.*chmod 600") as raised:
            access_of(WarehouseSettings(key_file=path))
        assert KEY not in str(raised.value)

    @pytest.mark.parametrize("content", [b"", b"\n", b"a\nb\n", b"\xff", b"a\0b", b"k" * 5000])
    def test_a_file_without_a_key_is_told(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "key"
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(CharthouseError, match="does not hold a key"):
            access_of(WarehouseSettings(key_file=path))
        with pytest.raises(CharthouseError, match="cannot be read"):
            access_of(WarehouseSettings(key_file=tmp_path / "none"))

    def test_in_one_place_only(self, tmp_path: Path) -> None:
        with pytest.raises(CharthouseError, match="both set"):
            access_of(WarehouseSettings(key_file=tmp_path / "key", key_variable="KEY"))

    def test_it_shows_nowhere(
        self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WARD_KEY", KEY)
        order = bench.order(write_jsonl(tmp_path / "notes.jsonl", {"id": "1", "text": "Asthma."}))
        settings = Settings(warehouse={"key_variable": "WARD_KEY"})
        save_order(replace(order, settings=settings), tmp_path / "order.json")
        assert KEY not in (tmp_path / "order.json").read_text()
        kept = load_order(tmp_path / "order.json").settings.warehouse
        access = access_of(kept)
        assert access.key == KEY and KEY not in repr(access) + str(kept) + json.dumps(
            kept.model_dump(mode="json")
        )


def test_commands_read_it_by_the_environment(
    secret: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["charthouse", "sql", "-w", str(secret.warehouse), "-f", "csv"]
    monkeypatch.setattr(sys, "argv", [*arguments, "SELECT count(*) AS n FROM entities"])
    assert _run() == 1
    assert "is encrypted" in capsys.readouterr().err
    monkeypatch.setenv("WARD_KEY", KEY)
    monkeypatch.setenv("CHARTHOUSE_WAREHOUSE__KEY_VARIABLE", "WARD_KEY")
    assert _run() == 0
    assert capsys.readouterr().out.split() == ["n", "20"]


@pytest.mark.slow
def test_a_whole_run_leaves_the_key_nowhere(tmp_path: Path) -> None:
    key_file, home = tmp_path / "key", tmp_path / "home"
    home.mkdir()
    key_file.write_text(KEY)
    key_file.chmod(0o600)
    config = tmp_path / "charthouse.toml"
    config.write_text(
        f'[warehouse]\nkey_file = "{key_file}"\nunsafe_crypto = true\n'
        f'snapshot = "{home / "s.duckdb"}"\n'
    )
    source = write_jsonl(tmp_path / "notes.jsonl", {"id": "1", "text": f"Asthma. {MARKER}."})
    given = ["run", source, "-w", home / "w.duckdb", "--config", config, "--workers", "1"]
    done = charthouse(home, *given)
    assert done.returncode == 0, done.stderr
    with read_warehouse(home / "s.duckdb", ACCESS) as connection:
        assert connection.execute("SELECT count(*) FROM documents").fetchall() == [(1,)]
    found = [
        path
        for path in home.rglob("*")
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in (KEY, MARKER))
    ]
    assert found == []
