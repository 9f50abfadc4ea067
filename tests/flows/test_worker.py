"""What a worker refuses: other models, other releases, other files than the run was begun with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from flows.annotate_worker import annotate_shard_file
from flows.bundled import SAMPLE, sample_store
from flows.link_worker import link_names_file, names_file
from flows.order import LinkTarget, Order, save_order
from flows.settings import Settings
from flows.storage import Storage
from flows.work import WorkFolder, file_sha256, make_private
from flows.worker import ShardFailed
from nlp.fingerprint import identify
from nlp.settings import PrivacySettings
from ontologies.linker import linkset_id
from ontologies.store import open_store
from tests.flows.conftest import write_incoming

SECRET = "a-secret-that-no-one-is-told"
RUN = "20261126T120000-abcdef"


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """An order that a dictionary alone carries out: quick to load."""
    settings = Settings(ner={"models": ()}, dictionary={"stores": (SAMPLE,)})
    release = open_store(sample_store()).release.release_id
    target = LinkTarget(
        SAMPLE, sample_store(), release, linkset_id(release, settings.link), position=1
    )
    annotation = identify(settings.annotation)
    return Order(tmp_path / "w.duckdb", (), settings, annotation, (target,))


@pytest.fixture
def work(tmp_path: Path) -> WorkFolder:
    work = WorkFolder(make_private(tmp_path / "w.work"))
    make_private(work.shards(RUN))
    write_incoming(work.shard(RUN, 1), {"a": "The patient has asthma."})
    names = names_file(work, RUN, 0, 0)
    make_private(names.parent)
    pl.DataFrame({"lookup_text": ["asthma"], "label": ["Disease"]}).write_parquet(names)
    return work


def test_a_worker_with_other_models_annotates_nothing(order: Order, work: WorkFolder) -> None:
    checksum = file_sha256(work.shard(RUN, 1))
    other = replace(order.annotation, annotation_id="0123456789abcdef")
    save_order(replace(order, annotation=other), work.order)
    with pytest.raises(ShardFailed, match="other models"):
        annotate_shard_file(str(work.root), RUN, 1, checksum)
    assert not list(work.staged(RUN).glob("*"))
    save_order(order, work.order)
    receipt = annotate_shard_file(str(work.root), RUN, 1, checksum)
    assert receipt.counts["mentions"] == 1


def test_two_threads_of_one_process_do_not_disturb_each_other(
    order: Order, work: WorkFolder
) -> None:
    save_order(order, work.order)
    checksum = file_sha256(work.shard(RUN, 1))
    with ThreadPoolExecutor(2) as threads:
        receipts = list(
            threads.map(lambda _: annotate_shard_file(str(work.root), RUN, 1, checksum), range(4))
        )
    assert len({receipt.folder for receipt in receipts}) == 4
    assert len({receipt.checksums["mentions.parquet"] for receipt in receipts}) == 1


def test_a_worker_with_another_release_links_nothing(order: Order, work: WorkFolder) -> None:
    checksum = file_sha256(names_file(work, RUN, 0, 0))
    other = replace(order.targets[0], release_id="another")
    save_order(replace(order, targets=(other,)), work.order)
    with pytest.raises(ShardFailed, match="another release"):
        link_names_file(str(work.root), RUN, 0, 0, checksum)
    save_order(order, work.order)
    receipt = link_names_file(str(work.root), RUN, 0, 0, checksum)
    assert receipt.counts["name_links"] >= 1


def test_a_worker_whose_models_link_otherwise_links_nothing(order: Order, work: WorkFolder) -> None:
    checksum = file_sha256(names_file(work, RUN, 0, 0))
    other = replace(order.targets[0], linkset_id="ls-of-another-model")
    save_order(replace(order, targets=(other,)), work.order)
    with pytest.raises(ShardFailed, match="another encoder or language model"):
        link_names_file(str(work.root), RUN, 0, 0, checksum)
    gone = order.settings.link.model_copy(update={"writer": "models/none"})
    settings = order.settings.model_copy(update={"link": gone})
    save_order(replace(order, settings=settings), work.order)
    with pytest.raises(ShardFailed, match="language model models/none: no such folder"):
        link_names_file(str(work.root), RUN, 0, 0, checksum)


def test_a_worker_does_not_touch_a_damaged_shard(
    order: Order, work: WorkFolder, tmp_path: Path
) -> None:
    save_order(order, work.order)
    storage = Storage((tmp_path / "shared").as_uri())
    storage.put(work.order, f"{RUN}/order.json")
    storage.put(work.shard(RUN, 1), f"{RUN}/shards/00001.parquet")
    wrong = "0" * 64
    with pytest.raises(ShardFailed, match="damaged"):
        annotate_shard_file(str(work.root), RUN, 1, wrong)
    with pytest.raises(Exception, match="not as it was written"):
        annotate_shard_file(storage.url, RUN, 1, wrong)
    assert storage.keys(f"{RUN}/staged") == []


def test_a_worker_without_the_secret_of_privacy_annotates_nothing(
    order: Order, work: WorkFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHARTHOUSE_PRIVACY_KEY", raising=False)
    monkeypatch.setenv("ANOTHER_NAME", SECRET)
    settings = order.settings.model_copy(
        update={"privacy": PrivacySettings(mode="mask", key_variable="ANOTHER_NAME")}
    )
    private = replace(order, settings=settings, annotation=identify(settings.annotation))
    save_order(private, work.order)
    assert SECRET not in work.order.read_text("utf-8")
    checksum = file_sha256(work.shard(RUN, 1))
    monkeypatch.setenv("ANOTHER_NAME", SECRET[::-1])
    with pytest.raises(ShardFailed, match="another secret of privacy") as raised:
        annotate_shard_file(str(work.root), RUN, 1, checksum)
    assert SECRET[::-1] not in str(raised.value)
    monkeypatch.delenv("ANOTHER_NAME")
    with pytest.raises(ShardFailed, match="environment variable ANOTHER_NAME"):
        annotate_shard_file(str(work.root), RUN, 1, checksum)
    assert not list(work.staged(RUN).glob("*"))
