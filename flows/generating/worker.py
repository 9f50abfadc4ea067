"""What a worker process does with a shard of items. Models are loaded once per process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from functools import lru_cache

import polars as pl

from flows.generating.order import Generation
from flows.generating.schema import ITEM_SCHEMA
from flows.generating.staging import joined, stage_produced
from flows.generating.task import Produced, TaskWorker
from flows.generating.tasks import RELATIONS, task_of
from flows.order import Order
from flows.receipt import Receipt
from flows.settings import LOCAL, Settings
from flows.worker import ShardFailed, ShardTask, on_shard

_TELL_SECONDS = 1.0
"""A model may give a sign of life with each token: so often it is written down."""


def generate_shard_file(
    root: str, run_id: str, shard: int, checksum: str, one_by_one: bool = False
) -> Receipt:
    """Work on the items of a shard file and stage what comes of them.

    Arguments and errors are those of :func:`flows.annotate_worker.annotate_shard_file`.
    """

    def carry_out(task: ShardTask) -> Receipt:
        generation = task.order.generation
        assert generation is not None
        items = task.rows.select(list(ITEM_SCHEMA))
        worker = _worker_of(task.order, generation)
        progress = _seldom(task.progress)
        progress(0)
        produced = (_one_by_one if one_by_one else _all)(worker, items, progress)
        return stage_produced(
            task.staged, task.number, items, produced, texts=generation.set.task != RELATIONS
        )

    return on_shard(root, run_id, shard, checksum, carry_out)


def _seldom(tell: Callable[[int], None]) -> Callable[[int], None]:
    """Tell of progress where a further item is done, and else once a second."""
    told, told_at = -1, 0.0

    def progress(done: int) -> None:
        nonlocal told, told_at
        if done == told and time.monotonic() - told_at < _TELL_SECONDS:
            return
        tell(done)
        told, told_at = done, time.monotonic()

    return progress


def _all(worker: TaskWorker, items: pl.DataFrame, progress: Callable[[int], None]) -> Produced:
    return worker.carry_out(items, progress)


def _one_by_one(
    worker: TaskWorker, items: pl.DataFrame, progress: Callable[[int], None]
) -> Produced:
    """Each item by itself, so that the counter of a worker that dies tells which it died of."""
    parts = list[Produced]()
    for row in range(len(items)):
        parts.append(worker.carry_out(items.slice(row, 1), lambda done: None))
        progress(row + 1)
    return joined(parts, range(len(items)))


def _worker_of(order: Order, generation: Generation) -> TaskWorker:
    """The task with its models, loaded once per process.

    Raises:
        ShardFailed: this machine has another model or prompt than the run was begun with.
    """
    _use_threads(order.settings)
    asked = json.dumps(generation.as_dict())
    loaded, found = _loaded(order.settings.model_dump_json(), asked)
    if found != generation.set.generation_id:
        _loaded.cache_clear()
        raise ShardFailed(
            "this worker has another model, prompt or version than the run was begun with",
            "Give every worker the same files under the same paths, and the same charthouse",
        )
    return loaded


@lru_cache(maxsize=1)
def _loaded(settings: str, asked: str) -> tuple[TaskWorker, str]:
    """A task's worker and the generation_id that this machine gives it."""
    generation = Generation.from_dict(json.loads(asked))
    request = generation.request(Settings(**json.loads(settings)))
    task = task_of(request.task)
    return task.load(request), task.identify(request).generation_id


def _use_threads(settings: Settings) -> None:
    """Share the cores among the workers of this machine: by default one worker has them all."""
    import torch

    if settings.execution.runner == LOCAL:
        cores = len(os.sched_getaffinity(0))
        torch.set_num_threads(max(1, cores // settings.workers))
