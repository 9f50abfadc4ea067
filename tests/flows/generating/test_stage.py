"""Shards of items through a pool that breaks: the item to blame becomes one reject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import polars as pl
import pytest

from flows.dispatch import Pool
from flows.generating.conservation import check_generation
from flows.generating.plan import GenerationPlanner
from flows.generating.schema import ITEM_SCHEMA
from flows.generating.stage import GenerateStage
from flows.generating.staging import stage_produced
from flows.generating.task import Produced
from flows.generating.tasks import TASKS
from flows.generating.worker import _one_by_one
from flows.progress import Reporter
from flows.receipt import Receipt
from flows.session import Session
from flows.shard_stage import ENDED_WORKER
from flows.warehouse import runs
from flows.warehouse.connection import open_warehouse
from flows.warehouse.runs import PlannedShard
from flows.work import WorkFolder, make_private
from flows.worker import ShardFailed
from tests.flows.conftest import Bench
from tests.flows.generating.bench import Generating
from tests.flows.generating.echo import DEADLY

Notes = Callable[..., Path]


def test_item_that_ends_its_worker_is_one_reject(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    texts = {f"n{i}": f"word{i} {DEADLY if i == 2 else 'harmless'}" for i in range(6)}
    bench.run(notes(**texts))
    generating.settings = {"shard_characters": 1_000, "retries": 1}
    order = generating.order()
    assert order.generation is not None
    worker = TASKS["text"].load(order.generation.request(order.settings))
    with open_warehouse(bench.warehouse) as connection:
        work = WorkFolder.beside(bench.warehouse)
        make_private(work.root)
        run_id = runs.next_run_id(connection)
        runs.begin_run(connection, run_id, order)
        planner = GenerationPlanner(connection, order, work, run_id)
        planner.commit(planner.read(), 0.0)
        session = Session(run_id, connection, order, work, Reporter(run_id, None, quiet=True))
        stage = GenerateStage(session)
        broken = False

        def submit(shard: PlannedShard) -> Future[Receipt]:
            nonlocal broken
            items = pl.read_parquet(shard.path).select(list(ITEM_SCHEMA))
            deadly = [row for row, text in enumerate(items["input"]) if DEADLY in text]
            counter = work.counter(run_id, shard.number)
            make_private(counter.parent)
            counter.write_text(str(deadly[0] if deadly and shard.one_by_one else 0))
            future = Future[Receipt]()
            if broken := broken or bool(deadly):
                future.set_exception(BrokenProcessPool())
            else:
                produced = worker.carry_out(items, lambda done: None)
                staged = work.staged(run_id)
                future.set_result(stage_produced(staged, shard.number, items, produced, texts=True))
            return future

        def run_wave(shards: Sequence[PlannedShard], workers: int) -> list[PlannedShard]:
            nonlocal broken
            broken = False
            pool = Pool((BrokenProcessPool,), lambda: None, is_local=True)
            return stage.through_pool(shards, submit, pool)

        stage.run(run_wave)
        check_generation(connection, run_id)
        runs.finish_run(connection, run_id, {})
    assert bench.query("SELECT path, reason FROM rejects") == [("item:notes:n2", ENDED_WORKER)]
    assert sorted(generating.texts()) == [f"notes:n{i}" for i in (0, 1, 3, 4, 5)]
    assert generating.breaches() == []


def _items(*texts: str) -> pl.DataFrame:
    rows = [
        {
            "item_id": f"n:{i}",
            "document_id": f"n:{i}",
            "source_hash": "h",
            "characters": len(text),
            "input": f'{{"text": "{text}"}}',
        }
        for i, text in enumerate(texts)
    ]
    return pl.DataFrame(rows, ITEM_SCHEMA)


def test_items_one_by_one_give_what_they_give_together(generating: Generating) -> None:
    order = generating.order()
    assert order.generation is not None
    worker = TASKS["text"].load(order.generation.request(order.settings))
    items = _items("asthma", "it is bad", "gout", "bad", "fever")
    seen = list[int]()
    apart = _one_by_one(worker, items, seen.append)
    together = worker.carry_out(items, lambda done: None)
    assert list(apart.rejects) == list(together.rejects)
    for name, frame in together.frames.items():
        assert frame.equals(apart.frames[name])
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("lost", ["text", "stranger"])
def test_task_that_loses_an_item_is_found_out(
    tmp_path: Path, generating: Generating, lost: str
) -> None:
    order = generating.order()
    assert order.generation is not None
    worker = TASKS["text"].load(order.generation.request(order.settings))
    items = _items("asthma", "gout")
    produced = worker.carry_out(items, lambda done: None)
    texts = produced.frames["generations"]
    texts = texts.head(1) if lost == "text" else texts.with_columns(item_id=pl.lit("n:9"))
    wrong = Produced({**produced.frames, "generations": texts}, (), 0.0)
    with pytest.raises(ShardFailed, match="does not belong"):
        stage_produced(tmp_path / "staged", 1, items, wrong, texts=True)
