"""Shards on shared storage: out and back, damaged, late, given up."""

from __future__ import annotations

import fcntl
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from flows.forget import forget
from flows.handover import Handover, clear_storage
from flows.order import Order, load_order
from flows.receipt import Receipt, StagingError, finished_receipts
from flows.storage import Storage, StorageError
from flows.warehouse.access import Access
from flows.warehouse.erasing import Subjects
from flows.work import WorkFolder, file_sha256, make_private
from flows.workplace import GivenUp, Workplace, workplace
from tests.flows.conftest import Bench, annotate_by_rule, write_incoming

RUN = "20261126T120000-abcdef"


@pytest.fixture(autouse=True)
def workers_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where workers keep their temporary folders."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def order(bench: Bench, tmp_path: Path) -> Order:
    source = tmp_path / "ward-7-secret.jsonl"
    source.write_text('{"note_id": "1", "text": "Fever."}\n')
    return bench.order(source)


@pytest.fixture
def handover(order: Order, tmp_path: Path) -> Handover:
    work = WorkFolder(make_private(tmp_path / "w.work"))
    handover = Handover(work, RUN, Storage((tmp_path / "shared").as_uri()))
    handover.open(order)
    return handover


def give(handover: Handover, number: int = 1) -> Path:
    """Hand out a shard of two documents."""
    shard = handover.work.shard(RUN, number)
    make_private(shard.parent)
    write_incoming(shard, {"a": "Asthma is there.", "b": "Fever is not."})
    handover.give(shard)
    return shard


def annotate(place: Workplace, checksum: str, number: int = 1) -> Receipt:
    """A worker's part, up to handing back."""
    shard = place.work.shard(RUN, number)
    place.fetch(shard, checksum)
    return annotate_by_rule("rule-1", shard, place.work.staged(RUN), number)


def work_on(handover: Handover, number: int = 1) -> Receipt:
    """A worker's part."""
    checksum = file_sha256(handover.work.shard(RUN, number))
    with workplace(handover.root, RUN) as place:
        return place.hand_back(annotate(place, checksum, number))


def left(handover: Handover) -> list[str]:
    assert handover.storage is not None
    return handover.storage.keys("")


def test_a_shard_goes_out_and_comes_back(handover: Handover, workers_folder: Path) -> None:
    shard = give(handover)
    receipt = work_on(handover)
    assert not list(workers_folder.iterdir()), "a worker leaves nothing behind"
    here = handover.take(receipt, shard, handover.work.staged(RUN))
    assert here.path.is_relative_to(handover.work.staged(RUN))
    assert here.checksums == receipt.checksums
    assert {name: file_sha256(here.path / name) for name in here.checksums} == here.checksums
    assert finished_receipts(handover.work.staged(RUN)) == {1: here}
    assert left(handover) == [f"{RUN}/order.json"]
    handover.close()
    assert left(handover) == []


def test_workers_are_not_told_the_names_of_sources(handover: Handover, order: Order) -> None:
    with workplace(handover.root, RUN) as place:
        assert place.work.order.stat().st_mode & 0o077 == 0
        assert "ward-7-secret" not in place.work.order.read_text("utf-8")
        assert load_order(place.work.order) == replace(order, files=(), sources=())


@pytest.mark.parametrize("damage", ["altered", "cut", "removed"])
def test_damaged_output_is_removed_and_its_input_stays(
    handover: Handover, tmp_path: Path, damage: str
) -> None:
    shard = give(handover)
    receipt = work_on(handover)
    file = tmp_path / "shared" / receipt.folder / "mentions.parquet"
    if damage == "removed":
        file.unlink()
    else:
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] if damage == "cut" else whole[:-1] + b"!")
    with pytest.raises(StagingError, match="shard 1"):
        handover.take(receipt, shard, handover.work.staged(RUN))
    assert left(handover) == [f"{RUN}/order.json", f"{RUN}/shards/00001.parquet"]
    assert finished_receipts(handover.work.staged(RUN)) == {}
    assert (
        handover.take(work_on(handover), shard, handover.work.staged(RUN)).counts == receipt.counts
    )


def test_a_resumed_run_takes_over_what_has_a_receipt(handover: Handover, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        give(handover, number)
    first = work_on(handover, 1)
    work_on(handover, 1)  # Dask ran it twice
    work_on(handover, 2)
    unfinished = work_on(handover, 3)
    (tmp_path / "shared" / unfinished.folder / "receipt.json").unlink()
    handover.take_over({1, 3})
    taken = finished_receipts(handover.work.staged(RUN))
    assert taken.keys() == {1} and taken[1].counts == first.counts
    assert not [key for key in left(handover) if "/staged/" in key]


def test_a_kill_between_fetching_and_removing_takes_over_once(handover: Handover) -> None:
    give(handover)
    receipt = work_on(handover)
    make_private(handover.work.root / receipt.folder)
    handover.take_over({1})
    assert not [key for key in left(handover) if "/staged/" in key]


def test_a_worker_that_comes_too_late_leaves_nothing(handover: Handover) -> None:
    checksum = file_sha256(give(handover))
    with workplace(handover.root, RUN) as place:
        receipt = annotate(place, checksum)
        handover.close()
        with pytest.raises(GivenUp):
            place.hand_back(receipt)
    assert left(handover) == []
    with pytest.raises(StorageError), workplace(handover.root, RUN):
        pass


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("../elsewhere/x", "mentions.parquet"),
        (f"{RUN}/staged/..", "mentions.parquet"),
        (f"{RUN}/x", "mentions.parquet"),
        ("/etc/staged/x", "passwd"),
        (f"{RUN}/staged/x", "../../../../etc/passwd"),
        (f"{RUN}/staged/x", "/etc/passwd"),
    ],
)
def test_a_receipt_cannot_name_places_outside_of_its_run(
    handover: Handover, folder: str, name: str
) -> None:
    shard = give(handover)
    receipt = Receipt(1, folder, {name: "0"}, {}, {})
    with pytest.raises(StagingError, match="outside"):
        handover.take(receipt, shard, handover.work.staged(RUN))


def test_a_run_that_goes_on_with_other_storage_empties_the_first(
    handover: Handover, order: Order, tmp_path: Path
) -> None:
    give(handover)
    work_on(handover)
    local = replace(handover, storage=None)
    local.open(order)
    assert finished_receipts(handover.work.staged(RUN)).keys() == {1}
    assert left(handover) == []


def test_a_run_that_is_given_up_leaves_nothing_on_storage(handover: Handover) -> None:
    give(handover)
    work_on(handover)
    clear_storage(handover.work, RUN)
    clear_storage(handover.work, "20261126T120000-000000")
    assert left(handover) == []


def test_forgetting_somebody_empties_the_storage_of_interrupted_runs(
    bench: Bench, order: Order, tmp_path: Path
) -> None:
    bench.run(*(file.path for file in order.files))
    work = WorkFolder.beside(bench.warehouse)
    interrupted = Handover(work, RUN, Storage((tmp_path / "shared").as_uri()))
    interrupted.open(order)
    give(interrupted)
    who = Subjects(documents=("ward-7-secret:1",))
    (tmp_path / "shared").rename(tmp_path / "away")
    (tmp_path / "shared").touch()  # a mount that is not there
    with pytest.raises(StorageError, match=r"cannot be removed.* yourself"):
        forget(bench.warehouse, who, Access())
    assert bench.query("SELECT count(*) FROM documents") == [(1,)], "nothing was begun"
    (tmp_path / "shared").unlink()
    (tmp_path / "away").rename(tmp_path / "shared")
    assert forget(bench.warehouse, who, Access()).erased.documents == 1
    assert left(interrupted) == []


def test_without_storage_the_work_folder_is_used_as_it_is(
    handover: Handover, order: Order, tmp_path: Path
) -> None:
    shard = give(handover)
    local = replace(handover, storage=None)
    with workplace(local.root, RUN) as place:
        assert place.work == handover.work
        receipt = place.hand_back(annotate(place, file_sha256(shard)))
    assert local.take(receipt, shard, local.work.staged(RUN)) == receipt
    (receipt.path / "mentions.parquet").write_bytes(b"")
    with pytest.raises(StagingError):
        local.take(receipt, shard, local.work.staged(RUN))
    assert not receipt.path.exists()


def test_folders_of_killed_workers_are_removed_and_those_at_work_stay(
    handover: Handover, workers_folder: Path
) -> None:
    for name in ("dead", "alive"):
        (workers_folder / f"charthouse-worker-{name}").mkdir()
        (workers_folder / f"charthouse-worker-{name}" / "lock").touch()
    with (workers_folder / "charthouse-worker-alive" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with workplace(handover.root, RUN):
            names = {path.name for path in workers_folder.iterdir()}
    assert "charthouse-worker-alive" in names and "charthouse-worker-dead" not in names


def test_the_note_of_where_a_run_is_staged_holds_no_secret(handover: Handover) -> None:
    note = json.loads((handover.work.run(RUN) / "staging.json").read_text())
    assert handover.storage is not None
    assert note == {"url": handover.storage.url}
