"""Disks that are full or read-only: one clear error, nothing lost, and the run goes on later."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from flows.errors import CharthouseError
from flows.receipt import Receipt
from flows.warehouse.connection import open_warehouse
from flows.warehouse.storage import storage_errors_told
from tests.faults.small_disk import small_disk
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.runs import COMMAND, charthouse, contents, environment
from tests.flows.test_annotating import annotate

PLENTY = 200_000
ROUNDS = 60


def noise(letters: int, chance: random.Random) -> str:
    """Words that no compression makes small."""
    return " ".join(f"{chance.getrandbits(40):x}" for _ in range(letters // 11))


def notes(folder: Path, count: int = 24, letters: int = 150_000) -> Path:
    chance = random.Random(5)
    records = [{"id": f"n{i:02d}", "text": noise(letters, chance)} for i in range(count)]
    return write_jsonl(folder / "notes.jsonl", *records)


def test_full_disk_stops_a_run_wherever_it_is_and_it_goes_on_with_space(tmp_path: Path) -> None:
    """The disk grows a little whenever the run has stopped: in planning, cutting or staging."""
    source = notes(tmp_path)
    execution: dict[str, object] = {"shard_characters": 350_000}
    calm = Bench(tmp_path / "w.duckdb", settings=execution)
    annotate(calm, source)
    places: list[str] = []
    with small_disk(tmp_path / "disk", 100) as disk:
        bench = Bench(disk.folder / "w.duckdb", settings=execution)
        for round_ in range(1, ROUNDS):
            disk.resize(round_ * 250)
            try:
                with storage_errors_told(bench.warehouse):
                    annotate(bench, source)
            except CharthouseError as error:
                assert "no space left on device" in str(error) or "free space" in str(error)
                assert len(str(error).splitlines()) == 1
                places.append(error.problem)
            else:
                break
        assert len(places) >= 5
        assert contents(bench.warehouse) | {"runs": ()} == contents(calm.warehouse) | {"runs": ()}
        (run,) = bench.query("SELECT status, read, new FROM runs WHERE status != 'abandoned'")
        assert run == ("done", 24, 24)


@pytest.mark.parametrize("left", [0, 40, 200])
def test_disk_that_is_full_when_a_shard_is_committed(tmp_path: Path, left: int) -> None:
    """Shards that were loaded stay, the one at hand is loaded by the next run as it was staged."""
    source = notes(tmp_path)
    execution: dict[str, object] = {"shard_characters": 350_000}
    calm = Bench(tmp_path / "w.duckdb", settings=execution)
    annotate(calm, source)
    with small_disk(tmp_path / "disk", PLENTY) as disk:
        bench = Bench(disk.folder / "w.duckdb", settings=execution)
        ballast = disk.folder / "ballast"

        def fill(receipt: Receipt) -> None:
            if receipt.shard == 4:
                free = shutil.disk_usage(disk.folder).free - left * 1024
                ballast.write_bytes(bytes(free))

        with (
            pytest.raises(CharthouseError, match="no space left on device") as caught,
            storage_errors_told(bench.warehouse),
        ):
            annotate(bench, source, spoil=fill)
        assert caught.value.problem.startswith("warehouse")
        ballast.unlink()
        loaded = bench.query("SELECT count(*) FROM shards WHERE status = 'loaded'")
        assert loaded < [(8,)]
        again = annotate(bench, source)
        assert 4 not in {shard.number for shard in again.handed}, "it was staged already"
        assert contents(bench.warehouse) == contents(calm.warehouse)


def test_read_only_disk_is_told_and_changes_nothing(tmp_path: Path) -> None:
    source = notes(tmp_path, 4)
    with small_disk(tmp_path / "disk", PLENTY) as disk:
        bench = Bench(disk.folder / "w.duckdb")
        annotate(bench, source)
        before = contents(bench.warehouse)
        disk.read_only(True)
        notes(tmp_path, 6)
        with pytest.raises(CharthouseError, match="read-only file system"):
            annotate(bench, source)
        assert contents(bench.warehouse) == before
        disk.read_only(False)
        annotate(bench, source)
        assert bench.query("SELECT count(*) FROM documents") == [(6,)]


def test_work_folder_that_nobody_may_write_to_is_told(tmp_path: Path) -> None:
    source = notes(tmp_path, 4)
    (tmp_path / "w.duckdb.work").write_text("a file where the folder should be")
    bench = Bench(tmp_path / "w.duckdb")
    with (
        pytest.raises(CharthouseError, match=r"w.duckdb.work cannot be written"),
        storage_errors_told(bench.warehouse),
    ):
        annotate(bench, source)
    with open_warehouse(bench.warehouse) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchall() == [(0,)]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_command_on_a_full_disk_says_so_in_one_line_and_goes_on_later(
    tmp_path: Path, prefect_address: str
) -> None:
    """Real workers, under whose hands the disk fills up."""
    source = notes(tmp_path, 40, 30_000)
    words = ("--model", "none", "--dictionary", "sample", "--workers", "2")
    small = {
        "CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "100000",
        "PREFECT_API_URL": prefect_address,
    }
    with small_disk(tmp_path / "disk", 30_000) as disk:
        warehouse = disk.folder / "w.duckdb"
        run = ("run", source, "--warehouse", warehouse, *words)
        process = subprocess.Popen(
            [*COMMAND, *map(str, run)],
            env=environment(tmp_path, **small),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 240
        while not list(disk.folder.glob("*.work/*/progress/*")):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.01)
        ballast = disk.folder / "ballast"
        with suppress(OSError):  # whatever the run leaves free meanwhile
            ballast.write_bytes(bytes(shutil.disk_usage(disk.folder).free))
        _, errors = process.communicate(timeout=400)
        assert process.returncode == 1, errors
        assert "Traceback" not in errors
        last = errors.strip().splitlines()[-1]
        assert last.startswith("charthouse: ") and "no space left on device" in last, last
        assert "run the same command again" in last

        ballast.unlink()
        done = charthouse(tmp_path, *run, **small)
        assert done.returncode == 0, done.stderr
        calm = tmp_path / "calm.duckdb"
        done = charthouse(tmp_path, "run", source, "--warehouse", calm, *words, **small)
        assert done.returncode == 0, done.stderr
        assert contents(warehouse) == contents(calm)
