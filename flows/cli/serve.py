"""``charthouse serve``: jobs on a schedule, for as long as the command runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Job(StrEnum):
    """What is done at each time."""

    annotate = "annotate"
    relink = "relink"
    ontology_build = "ontology-build"
    evaluate = "evaluate"
    generate = "generate"


def serve(
    jobs: Annotated[
        list[Path],
        typer.Argument(
            metavar="JOB.toml...",
            help="Job files: settings with sources = [...] and [warehouse] path = ...",
        ),
    ],
    cron: Annotated[
        str | None, typer.Option(metavar="CRON", help='When, for example "0 2 * * *".')
    ] = None,
    interval: Annotated[
        int | None, typer.Option(min=1, metavar="SECONDS", help="Or how often, in seconds.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Time zone of --cron, as Europe/Vienna. (default: UTC)")
    ] = None,
    do: Annotated[Job, typer.Option(help="What is done.")] = Job.annotate,
    at_once: Annotated[
        int, typer.Option(min=1, help="Jobs at work at the same time, of all job files.")
    ] = 1,
) -> None:
    """Do the jobs of one or more job files on a schedule, until Ctrl-C or SIGTERM.

    Each time only what is new or changed is worked on. Times that pass while a job is still at
    work, or while nothing is served, are left out: the next run takes all that has come. Runs can
    also be started from Prefect (UI or API), without a schedule only so.

    Where no Prefect API is configured, a server on 127.0.0.1 runs for as long as the command.

    Exit codes: 0 it was asked to stop, 1 failed, 2 wrong usage.

    Example: charthouse serve --cron "0 2 * * *" --timezone Europe/Vienna nightly.toml
    """
    if cron is not None and interval is not None:
        raise typer.BadParameter("give one of --cron and --interval", param_hint="--interval")
    if timezone is not None and cron is None:
        raise typer.BadParameter("only --cron has a time zone", param_hint="--timezone")
    from flows.serving import Schedule, serve_jobs

    serve_jobs(do.value, jobs, Schedule(cron, interval, timezone), at_once=at_once)
