"""The Prefect tasks, and the flow whose pool they run in.

Worker processes import this module: it leaves out what only the main process needs.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows import annotate_worker, link_worker
from flows.flow_runs import note_flow_run
from flows.processes import kill_workers_after
from flows.receipt import Receipt
from flows.runners import explained, pool_of, task_runner
from flows.session import RUNS, Session, stage

Result = TypeVar("Result")

_LAST_WORDS_SECONDS = 30.0
"""Workers whose work is done have so long to tell Prefect of it and to end."""


@task(name="annotate-shard", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def annotate_shard(
    root: str, run_id: str, shard: int, checksum: str, one_by_one: bool = False
) -> Receipt:
    """Annotate one shard file in a worker process."""
    return annotate_worker.annotate_shard_file(root, run_id, shard, checksum, one_by_one)


@task(name="generate-shard", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def generate_shard(
    root: str, run_id: str, shard: int, checksum: str, one_by_one: bool = False
) -> Receipt:
    """Generate what one shard file asks for in a worker process."""
    from flows.generating.worker import generate_shard_file

    return generate_shard_file(root, run_id, shard, checksum, one_by_one)


@task(name="link-names", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def link_names(
    root: str, run_id: str, target: int, chunk: int, checksum: str, watched: bool = False
) -> Receipt:
    """Link one chunk of distinct names."""
    return link_worker.link_names_file(root, run_id, target, chunk, checksum, watched)


def in_pool(name: str, session: Session, workers: int, work: Callable[[], Result]) -> Result:
    """Run ``work`` as a flow of its own with the order's task runner, and return what it returns.

    Tasks submitted meanwhile run in a pool of so many worker processes, or on a cluster.
    """
    execution = session.order.settings.execution
    results: list[Result] = []
    with ExitStack() as afterwards:

        def explained_work() -> None:
            with explained(execution):
                results.append(work())
            if pool_of(execution).is_local:
                afterwards.callback(kill_workers_after(_LAST_WORDS_SECONDS).cancel)

        session.in_pool = explained_work
        in_runner = pool_flow.with_options(name=name, task_runner=task_runner(execution, workers))
        in_runner(str(session.work.root), session.run_id)
    return results[0]


@flow(name="pool", persist_result=False, validate_parameters=False)
def pool_flow(root: str, run_id: str) -> None:
    """Tasks submitted here run in this flow's task runner."""
    session = RUNS.current(run_id)
    note_flow_run(session.work)
    with stage(session, "pool"):
        session.in_pool()
