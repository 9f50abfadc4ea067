"""Where tasks run: worker processes of this machine, or a Dask or Ray cluster."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from prefect.futures import PrefectFuture
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner

from flows import worker
from flows.cluster import dask, ray
from flows.dispatch import LOCAL_POOL, Pool
from flows.errors import CharthouseError
from flows.settings import DASK, RAY, ExecutionSettings


class Cluster(Protocol):
    """What the modules :mod:`flows.cluster.dask` and :mod:`flows.cluster.ray` have in common."""

    def task_runner(self, execution: ExecutionSettings, workers: int) -> TaskRunner[Any]:
        """Prefect's task runner for the cluster."""

    def asking(self, gpus: float) -> AbstractContextManager[None]:
        """Within the block tasks are submitted with what one of them needs."""

    def deaths(self) -> tuple[type[BaseException], ...]:
        """What a future raises whose worker died."""

    def signs_of_loss(self) -> tuple[type[BaseException], ...]:
        """What is raised where the cluster itself is gone."""

    def count_workers(self) -> int:
        """How many there are now: 0 where nothing can be done."""


_CLUSTERS: dict[str, Cluster] = {DASK: dask, RAY: ray}

_LOOK_SECONDS = 10.0
_GONE_SECONDS = 300.0
"""A cluster without any worker for so long is taken for lost; nannies restart workers sooner."""


def task_runner(execution: ExecutionSettings, workers: int) -> TaskRunner[PrefectFuture[Any]]:
    """The task runner that the settings name, with so many worker processes where it is local."""
    if execution.runner in _CLUSTERS:
        return _CLUSTERS[execution.runner].task_runner(execution, workers)
    runner: Any = ProcessPoolTaskRunner(
        max_workers=workers, initializer=worker.start_worker, initargs=(os.getpid(),)
    )
    return runner  # type: ignore[no-any-return]


def asking(execution: ExecutionSettings, *, gpus: float = 0.0) -> AbstractContextManager[None]:
    """Within the block tasks are submitted with what one of them needs of a cluster."""
    if execution.runner in _CLUSTERS:
        return _CLUSTERS[execution.runner].asking(gpus)
    return nullcontext()


def pool_of(execution: ExecutionSettings) -> Pool:
    """How the workers of a runner die, are ended, and are known to be there."""
    if execution.runner not in _CLUSTERS:
        return LOCAL_POOL
    cluster = _CLUSTERS[execution.runner]
    return Pool(cluster.deaths(), _leave, is_local=False, look=_Watch(cluster.count_workers))


@contextmanager
def explained(execution: ExecutionSettings) -> Iterator[None]:
    """Tell that a cluster went away in one line instead of its own stack trace."""
    signs: tuple[type[BaseException], ...] = ()
    if execution.runner in _CLUSTERS:
        common = (CancelledError, asyncio.CancelledError, ConnectionError)
        signs = (*common, *_CLUSTERS[execution.runner].signs_of_loss())
    try:
        yield
    except signs as error:
        raise _lost(f"the cluster is gone ({type(error).__name__})") from None


def _leave() -> None:
    """Workers of a cluster are not ours to kill: what they still write has a name of its own."""


class _Watch:
    """Looks now and then whether a cluster has workers; without any, tasks would wait for ever."""

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._looked = self._seen = time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        try:
            workers = self._count()
        except Exception as error:
            raise _lost(f"the cluster does not answer ({type(error).__name__})") from None
        if workers:
            self._seen = now
        elif now - self._seen > _GONE_SECONDS:
            raise _lost("the cluster has had no worker for some minutes")


def _lost(problem: str) -> CharthouseError:
    return CharthouseError(
        problem, "What is loaded is kept: run the same command again when it is back"
    )
