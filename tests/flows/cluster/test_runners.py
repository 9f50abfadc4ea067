"""What a cluster's task runner is asked for, and how a death on it shows."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence

import pytest
from distributed import Scheduler, SpecCluster
from distributed.nanny import Nanny
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.dispatch import dispatch
from flows.prefect_server import prefect_api
from flows.receipt import Receipt
from flows.runners import asking, pool_of, task_runner
from flows.settings import ExecutionSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@task(cache_policy=NO_CACHE, persist_result=False)
def visit(dies: bool) -> Receipt:
    """Tell this process's id in place of a shard's number."""
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    return Receipt(os.getpid(), "", {}, {}, {})


@flow(persist_result=False, validate_parameters=False)
def visits(execution: ExecutionSettings, deaths: Sequence[bool]) -> tuple[set[int], list[bool]]:
    """Ids of the processes that were visited, and what was lost to a death."""
    seen: set[int] = set()

    def submit(dies: bool) -> object:
        with asking(execution, gpus=execution.gpus):
            return visit.submit(dies)

    def finish(done: Sequence[tuple[bool, Receipt]]) -> Sequence[bool]:
        seen.update(receipt.shard for _, receipt in done)
        return ()

    pool = pool_of(execution)
    lost = dispatch(deaths, submit, finish, pool=pool, in_flight=len(deaths))  # type: ignore[arg-type]
    return seen, lost


def run(execution: ExecutionSettings, *deaths: bool) -> tuple[set[int], list[bool]]:
    runner = task_runner(execution, 2)
    return visits.with_options(task_runner=runner)(execution, deaths)


@pytest.fixture(scope="module", autouse=True)
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        with prefect_api():
            yield


def test_dask_gives_gpus_to_those_who_ask_and_tells_a_death() -> None:
    workers = {
        name: {"cls": Nanny, "options": {"nthreads": 1, "resources": resources, "name": name}}
        for name, resources in (("cpu", {}), ("gpu", {"GPU": 1}))
    }
    scheduler = {"cls": Scheduler, "options": {"dashboard_address": ":0"}}
    with SpecCluster(workers=workers, scheduler=scheduler) as cluster:
        address = cluster.scheduler_address
        anyone = ExecutionSettings(runner="dask", address=address)
        on_gpu = ExecutionSettings(runner="dask", address=address, gpus=1)
        (gpu_pid,) = run(on_gpu, *[False] * 6)[0]
        everyone, lost = run(anyone, *[False] * 12)
        assert gpu_pid in everyone and len(everyone) == 2 and lost == []
        assert run(anyone, True, False)[1] == [True]


@pytest.mark.usefixtures("alone_on_ray")
def test_ray_tells_a_death_at_once() -> None:
    execution = ExecutionSettings(runner="ray", address="local")
    seen, lost = run(execution, True, False, False)
    assert lost == [True] and seen
