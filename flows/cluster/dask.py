"""Dask: its scheduler looked at, its workers asked, Prefect's task runner for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flows.cluster.probe import Answers, collect, make_probe, question
from flows.errors import CharthouseError
from flows.prefect_server import configured_api
from flows.settings import ExecutionSettings
from flows.storage import Storage
from nlp.settings import PrivacySettings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

_CONNECT_SECONDS = 20
_WORKERS_SECONDS = 30


def ask(
    execution: ExecutionSettings,
    storage: Storage,
    workers: int,
    privacy: PrivacySettings | None = None,
) -> tuple[int, Answers]:
    """Shards that a Dask cluster annotates at once, and what its workers tell."""
    from distributed import Client

    address = str(execution.address)
    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CharthouseError(
            f"no Dask scheduler answers at {address} ({type(error).__name__})",
            "Start one with `dask scheduler`, or correct --scheduler",
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_WORKERS_SECONDS)
        except TimeoutError:
            raise CharthouseError(
                f"the Dask scheduler at {address} has no worker",
                f"Start some with `dask worker {address} --nthreads 1 --nworkers N`",
            ) from None
        known = client.scheduler_info(n_workers=-1)["workers"]
        for name, worker in known.items():
            if worker["nthreads"] != 1:
                raise CharthouseError(
                    f"Dask worker {name} has {worker['nthreads']} threads, but a process annotates "
                    "one shard at a time",
                    f"Start workers with `dask worker {address} --nthreads 1 --nworkers N`",
                )
        able = {
            name
            for name, worker in known.items()
            if worker["resources"].get("GPU", 0.0) >= execution.gpus
        }
        if not able:
            raise CharthouseError(
                f"no Dask worker has the resource GPU={execution.gpus:g}",
                'Start workers with --resources "GPU=1", or set execution.gpus = 0',
            )
        with question(storage) as key:
            answers = client.run(
                make_probe(),
                storage.url,
                key,
                configured_api(),
                privacy.model_dump_json() if privacy else None,
                on_error="return",
            )
            return len(able), collect(answers, storage, privacy, key)


def task_runner(execution: ExecutionSettings, workers: int) -> TaskRunner[Any]:
    """Prefect's task runner for the scheduler; how many workers there are is the cluster's."""
    from prefect_dask import DaskTaskRunner

    runner: TaskRunner[Any] = DaskTaskRunner(address=execution.address)
    return runner


@contextmanager
def asking(gpus: float) -> Iterator[None]:
    """Within the block tasks are submitted to workers that have so much of the resource GPU."""
    import dask

    with dask.annotate(**({"resources": {"GPU": gpus}} if gpus else {})):
        yield


def deaths() -> tuple[type[BaseException], ...]:
    """What a future raises whose worker died, and that of each retry by Dask."""
    from distributed.scheduler import KilledWorker

    return (KilledWorker,)


def signs_of_loss() -> tuple[type[BaseException], ...]:
    """What is raised where the scheduler is gone."""
    from distributed.comm import CommClosedError

    return (CommClosedError,)


def count_workers() -> int:
    """Workers that the scheduler of the flow at work has now."""
    from prefect.context import FlowRunContext

    context = FlowRunContext.get()
    assert context is not None
    return len(context.task_runner.client.nthreads())  # type: ignore[attr-defined]
