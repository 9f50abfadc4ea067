"""The stages that the main job and generation share: planning, and working on shards."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from prefect import Task
from prefect.futures import PrefectFuture

from flows.counts import PlanCounts
from flows.processes import STOP
from flows.receipt import Receipt
from flows.runners import asking, pool_of
from flows.session import Session
from flows.shard_stage import ShardStage
from flows.tasks import in_pool
from flows.warehouse import runs
from flows.warehouse.runs import PlannedShard


class Plans(Protocol):
    """What makes the plan of a run."""

    def read(self) -> PlanCounts:
        """Read what there is to do."""

    def commit(self, counts: PlanCounts, seconds: float) -> object:
        """Store the plan, which took so many seconds to make."""


def store_plan(session: Session, planner_of: Callable[..., Plans], doing: str, unit: str) -> None:
    """Make a run's plan and store it, unless that was done before an interruption.

    Args:
        session: the run.
        planner_of: makes what reads and commits.
        doing: what progress calls it.
        unit: what progress counts.
    """
    if runs.is_planned(session.connection, session.run_id):
        return
    clock = time.perf_counter()
    session.reporter.stage(doing, unit, None)
    planner = planner_of(
        session.connection,
        session.order,
        session.work,
        session.run_id,
        check=STOP.check,
        progress=session.reporter.done,
    )
    counts = planner.read()
    session.reporter.end(counts.read)
    planner.commit(counts, time.perf_counter() - clock)


def work_on_shards(
    session: Session, stage_of: Callable[[Session], ShardStage], task: Task[..., Receipt]
) -> None:
    """Send all planned shards through a pool and load them, a flow run per wave.

    Args:
        session: the run.
        stage_of: makes what loads them.
        task: what a worker does with one of them.
    """
    if runs.planned_shards(session.connection, session.run_id):
        session.handover.open(session.order)
    work = stage_of(session)
    execution, run_id = session.order.settings.execution, session.run_id
    task_here = task.with_options(retries=execution.retries)

    def submit(shard: PlannedShard) -> PrefectFuture[Receipt]:
        session.handover.give(session.work.shard(run_id, shard.number))
        root = session.handover.root
        with asking(execution, gpus=execution.gpus):
            return task_here.submit(root, run_id, shard.number, shard.checksum, shard.one_by_one)

    def run_wave(shards: Sequence[PlannedShard], workers: int) -> list[PlannedShard]:
        return in_pool(
            f"{task.name.partition('-')[0]}-wave",
            session,
            workers,
            lambda: work.through_pool(shards, submit, pool_of(execution)),
        )

    work.run(run_wave)
