"""Jobs on a schedule within one process: deployments that Prefect's runner serves.

There is no work pool and no worker: the runner starts each flow run as a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import signal
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import CharthouseError, UsageError
from flows.jobs import warehouse_of
from flows.prefect_server import prefect_api, quieten
from flows.processes import children
from flows.settings import load_settings

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.runner import Runner


_OWN_SIGNAL_SECONDS = 2.0
_GENTLE_SECONDS = 30.0


@dataclass(frozen=True)
class Schedule:
    """When jobs are done: a cron line in a time zone, an interval in seconds, or on demand."""

    cron: str | None = None
    interval: int | None = None
    timezone: str | None = None

    def __str__(self) -> str:
        """The schedule in words."""
        if self.cron:
            return f"cron {self.cron} ({self.timezone or 'UTC'})"
        return f"every {self.interval} s" if self.interval else "on demand only"


def serve_jobs(name: str, files: Sequence[Path], schedule: Schedule, *, at_once: int = 1) -> None:
    """Do a job of each file on the schedule until the process is asked to stop.

    Args:
        name: a key of ``flows.jobs.JOBS``.
        files: job files; their names without suffix name the deployments.
        schedule: when; the same for all.
        at_once: flow runs at work at the same time, of all files.

    Raises:
        UsageError: the schedule cannot be read, or a job file lacks something.
        CharthouseError: a job file cannot be read, or Prefect does not answer.
    """
    quieten()
    _check(name, files, schedule)
    with prefect_api(scheduling=True) as address:
        from prefect.runner import Runner

        deployments = [_deployment(name, file.absolute(), schedule) for file in files]
        forget_missed(deployments)
        for file in files:
            _say(f"serving {name} of {file}: {schedule}")
        _say(f"Prefect API {address}. Stop with Ctrl-C.")
        runner = Runner(limit=at_once, pause_on_shutdown=True)
        for deployment in deployments:
            runner.add_deployment(deployment)
        asyncio.run(_until_asked_to_stop(runner, children()))
    _say("stopped serving")


async def _until_asked_to_stop(runner: Runner, others: Collection[int]) -> None:
    """Let the runner work until SIGINT or SIGTERM, then end the jobs at work, and it.

    Args:
        runner: what starts the jobs.
        others: process ids of children that are no jobs.
    """
    serving = asyncio.create_task(runner.start())
    await asyncio.sleep(0)  # the runner sets a handler of its own first
    asked = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, asked.set)
    waiting = asyncio.create_task(asked.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if serving.done():
        serving.result()
        return
    _say("stopping; what is not finished is gone on with next time")
    await _end_jobs(others)
    serving.cancel()  # kills what has not ended
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def _end_jobs(others: Collection[int]) -> None:
    """Ask jobs to end, so that Prefect hears of it and gives their place free.

    The signal that came here may have come to them too, as from a terminal or from systemd. A
    second one would end them less gently, so it is sent only to those that stay.
    """
    told = set[int]()
    began = time.monotonic()
    while jobs := children() - set(others):
        spent = time.monotonic() - began
        if spent > _GENTLE_SECONDS:
            return
        if spent > _OWN_SIGNAL_SECONDS:
            for pid in jobs - told:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            told |= jobs
        await asyncio.sleep(0.1)


def _check(name: str, files: Sequence[Path], schedule: Schedule) -> None:
    """Fail at the door, not at two in the morning."""
    if schedule.cron is not None:
        from prefect.client.schemas.schedules import CronSchedule
        from pydantic import ValidationError

        try:
            CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
        except ValidationError as error:
            field = error.errors()[0]["loc"][0]
            value = schedule.timezone if field == "timezone" else schedule.cron
            form = "Europe/Vienna" if field == "timezone" else '"minute hour day month weekday"'
            raise UsageError(f"--{field} {value} cannot be read", f"Write it as {form}") from None
    names = [file.stem for file in files]
    for file in files:
        if names.count(file.stem) > 1:
            raise UsageError(f"two job files are named {file.stem}", "Rename one of them")
        settings = load_settings(file, {})
        if name in {"annotate", "relink", "generate"}:
            warehouse = warehouse_of(settings)
            if not warehouse.parent.is_dir():
                raise CharthouseError(
                    f"warehouse {warehouse}: its folder does not exist",
                    f"Create {warehouse.parent} first",
                )
        if name == "annotate" and not settings.sources:
            raise UsageError(f"{file} names no sources", "Add sources = [...] to it")
        if name == "ontology-build" and settings.ontology_build.out is None:
            raise UsageError(f"{file} names no store", "Add out = ... to its [ontology_build]")
        if name == "evaluate" and not settings.evaluate.gold:
            raise UsageError(f"{file} names no gold files", "Add gold = [...] to its [evaluate]")
        asked = settings.generate
        if (
            name == "generate"
            and asked.task == "answer"
            and not (asked.question or asked.questions)
        ):
            raise UsageError(f"{file} asks nothing", 'Add questions = "FILE" to its [generate]')


def _deployment(name: str, file: Path, schedule: Schedule) -> RunnerDeployment:
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.schedules import Cron, Interval
    from prefect.types.entrypoint import EntrypointType

    from flows.deployments import DEPLOYABLE

    when = None
    if schedule.cron is not None:
        when = Cron(schedule.cron, timezone=schedule.timezone)
    elif schedule.interval is not None:
        when = Interval(schedule.interval)
    deployment = DEPLOYABLE[name].to_deployment(
        name=file.stem,
        parameters={"job": str(file)},
        schedule=when,
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert not inspect.isawaitable(deployment)  # it is only where an event loop runs
    return deployment


def forget_missed(deployments: Sequence[RunnerDeployment]) -> int:
    """Remove runs that were due while nobody served; returns how many.

    The next run takes all that has come since: to do each that was missed would do nothing more.
    Runs that a person asked for stay.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        DeploymentFilter,
        DeploymentFilterName,
        FlowFilter,
        FlowFilterName,
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType

    waiting = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
    )
    forgotten = 0
    with get_client(sync_client=True) as client:
        for deployment in deployments:
            due = client.read_flow_runs(
                flow_filter=FlowFilter(name=FlowFilterName(any_=[deployment.flow_name or ""])),
                deployment_filter=DeploymentFilter(
                    name=DeploymentFilterName(any_=[deployment.name])
                ),
                flow_run_filter=waiting,
            )
            for run in due:
                expected = run.expected_start_time
                if run.auto_scheduled and expected is not None and expected < datetime.now(UTC):
                    client.delete_flow_run(run.id)
                    forgotten += 1
    return forgotten


def _say(line: str) -> None:
    print(f"charthouse: {line}", file=sys.stderr, flush=True)
