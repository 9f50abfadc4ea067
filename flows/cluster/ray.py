"""Ray: its nodes looked at, a worker on each asked, Prefect's task runner for it."""

from __future__ import annotations

import logging
import os
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

LOCAL = "local"
"""The address that starts a Ray of the run's own on this machine."""

_ANSWER_SECONDS = 60


def _options(execution: ExecutionSettings, workers: int) -> dict[str, Any]:
    """What ``ray.init`` is given: quiet, and the size of a Ray that it is to start."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if execution.address != LOCAL:
        return quiet
    return quiet | {"num_cpus": workers, "include_dashboard": False}


def ask(
    execution: ExecutionSettings,
    storage: Storage,
    workers: int,
    privacy: PrivacySettings | None = None,
) -> tuple[int, Answers]:
    """Shards that a Ray cluster annotates at once, and what a worker on each node tells."""
    options = _options(execution, workers)
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    try:
        ray.init(execution.address, **options)
    except Exception as error:
        raise CharthouseError(
            f"Ray at {execution.address} cannot be used ({type(error).__name__})",
            "Is it started, with the same versions of Python and Ray as here?",
        ) from None
    try:
        resources = ray.cluster_resources()
        slots = int(resources.get("CPU", 0.0))
        if execution.gpus:
            slots = min(slots, int(resources.get("GPU", 0.0) / execution.gpus))
        if not slots:
            raise CharthouseError(
                f"Ray at {execution.address} has no worker with the CPU and the "
                f"{execution.gpus:g} GPUs that a shard asks for",
                "Add nodes, or set execution.gpus",
            )
        answers: dict[str, Any] = {}
        with question(storage) as key:
            probe = ray.remote(num_cpus=0, max_retries=0)(make_probe())
            asked = {
                node["NodeID"]: probe.options(
                    scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
                ).remote(
                    storage.url,
                    key,
                    configured_api(),
                    privacy.model_dump_json() if privacy else None,
                )
                for node in ray.nodes()
                if node["Alive"] and node["Resources"].get("CPU")
            }
            for node, answer in asked.items():
                try:
                    answers[node] = ray.get(answer, timeout=_ANSWER_SECONDS)
                except Exception as error:
                    answers[node] = error
            return slots, collect(answers, storage, privacy, key)
    finally:
        ray.shutdown()


def task_runner(execution: ExecutionSettings, workers: int) -> TaskRunner[Any]:
    """Prefect's task runner for the cluster, or for a Ray of so many workers on this machine."""
    from prefect_ray import RayTaskRunner

    options = _options(execution, workers)
    runner: TaskRunner[Any] = RayTaskRunner(address=execution.address, init_kwargs=options)
    return runner


@contextmanager
def asking(gpus: float) -> Iterator[None]:
    """Within the block each task asks for one CPU and so many GPUs.

    Ray's own retries are off: a death is dealt with by the run, which lets a suspect run alone.
    """
    from prefect_ray.context import remote_options

    more = {"num_gpus": gpus} if gpus else {}
    with remote_options(num_cpus=1, max_retries=0, **more):
        yield


def deaths() -> tuple[type[BaseException], ...]:
    """What a future raises whose worker or node died."""
    from ray import exceptions

    return (
        exceptions.WorkerCrashedError,
        exceptions.RayActorError,
        exceptions.NodeDiedError,
        exceptions.OutOfMemoryError,
        exceptions.ObjectLostError,
    )


def signs_of_loss() -> tuple[type[BaseException], ...]:
    """What is raised where the cluster's head is gone."""
    from ray.exceptions import RaySystemError

    return (RaySystemError,)


def count_workers() -> int:
    """Nodes that live now."""
    import ray

    return sum(node["Alive"] for node in ray.nodes())
