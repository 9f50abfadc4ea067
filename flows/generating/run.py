"""A run of generation from the door to the summary."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from flows.api_loss import lost_api_told
from flows.cluster.door import at_the_door
from flows.devices import check_device
from flows.errors import CharthouseError, UsageError
from flows.generating.order import Generation
from flows.generating.plan import GenerationPlanner, GenerationPreview
from flows.generating.questions import read_questions
from flows.generating.summary import Generated, summarise_generation
from flows.generating.task import GenerationRequest
from flows.generating.tasks import ANSWER, task_of
from flows.generating.where import check_where, one_expression
from flows.job_settings import GenerateSettings
from flows.opened import opened
from flows.order import Order, save_order
from flows.prefect_server import prefect_api
from flows.processes import stoppable
from flows.progress import Reporter
from flows.recovery import remove_folders, shards_are_there
from flows.session import Session
from flows.settings import LOCAL, Settings
from flows.warehouse import runs
from flows.warehouse.access import Access, access_of
from flows.warehouse.connection import Connection, read_warehouse
from flows.warehouse.memory import bound_memory
from flows.warehouse.snapshots import check_configured, publish_configured
from flows.work import WorkFolder
from nlp.errors import UNUSABLE
from nlp.fingerprint import AnnotationSet

SCOPES = ("document", "person", "warehouse")


@dataclass(frozen=True)
class Wanted:
    """What is asked for, unchecked; fields as in :class:`GenerationRequest`."""

    task: str
    where: str = "true"
    questions: tuple[tuple[str, str], ...] = ()
    scope: str = "warehouse"
    limit: int | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)


def wanted_of(settings: Settings, task: str | None = None) -> Wanted:
    """What the settings ask for, of a task or of that which they name.

    Raises:
        CharthouseError: the file of questions cannot be used.
    """
    asked = settings.generate
    return Wanted(
        task or asked.task,
        asked.where,
        questions_of(asked.question, asked.questions),
        asked.scope,
        asked.limit,
        asked.inputs,
    )


def questions_of(asked: Sequence[str], file: Path | None) -> tuple[tuple[str, str], ...]:
    """Questions of the command line and of a file, as (question_id, text).

    A question without an id gets one made of its words.

    Raises:
        CharthouseError: the file cannot be used.
    """
    given = [(f"q-{hashlib.sha256(text.encode()).hexdigest()[:12]}", text) for text in asked]
    if file is not None:
        given += read_questions(file)
    return tuple(dict(given).items())


def prepare_generation(warehouse: Path, wanted: Wanted, settings: Settings) -> Order:
    """Check everything at the door: the warehouse, the condition, model and prompt.

    Raises:
        UsageError: the task, the condition or the questions cannot be used.
        CharthouseError: something is missing or unusable; nothing has been written.
    """
    if wanted.scope not in SCOPES:
        raise UsageError(f"there is no scope {wanted.scope}", f"Scopes are {', '.join(SCOPES)}")
    if wanted.task == ANSWER and not wanted.questions:
        raise UsageError("no question is asked", "Give --question TEXT or --questions FILE")
    task = task_of(wanted.task)
    where = one_expression(wanted.where)
    if not warehouse.is_file():
        raise CharthouseError(
            f"warehouse {warehouse} does not exist", "charthouse run SOURCE --warehouse makes one"
        )
    access = access_of(settings.warehouse)
    check_configured(settings.warehouse.snapshot, warehouse, access)
    with read_warehouse(warehouse, access) as connection:
        check_where(connection, where)
    request = GenerationRequest(
        wanted.task,
        _with_workers(settings.model_copy(update={"generate": GenerateSettings()})),
        where,
        wanted.questions,
        wanted.scope,
        wanted.limit,
        wanted.inputs,
    )
    try:
        request = replace(request, settings=at_the_door(request.settings, warehouse))
        if request.settings.execution.runner == LOCAL:  # a cluster has its own devices
            check_device(settings.generation.device, settings.generation.precision)
        made = task.identify(request)
    except UNUSABLE as error:
        raise CharthouseError(str(error)) from None
    return Order(
        warehouse.resolve(),
        (),
        request.settings,
        AnnotationSet(made.generation_id, (), made.parameters),
        (),
        generation=Generation.of(request, made),
    )


def _with_workers(settings: Settings) -> Settings:
    """One worker where none are counted: it has all cores or the GPU; a model is loaded once."""
    if settings.execution.workers or settings.execution.runner != LOCAL:
        return settings
    execution = settings.execution.model_copy(update={"workers": 1})
    return settings.model_copy(update={"execution": execution})


def preview_generation(order: Order) -> GenerationPreview:
    """What a run would do; reads the warehouse, writes nothing."""
    access = access_of(order.settings.warehouse)
    with read_warehouse(order.warehouse, access) as connection, stoppable() as stop:
        work = WorkFolder.beside(order.warehouse)
        return GenerationPlanner(connection, order, work, "preview", check=stop.check).preview()


def generate(order: Order, *, quiet: bool = False) -> Generated:
    """Do what the order says, going on with an interrupted run of the same order.

    Raises:
        CharthouseError: a stage failed; what was loaded before is kept.
        Interrupted: the user stopped the run; the same order goes on with it.
    """
    access = access_of(order.settings.warehouse, quiet=quiet)
    work = WorkFolder.beside(order.warehouse)
    with opened(order.warehouse, work, access) as connection:
        try:
            return _generate(connection, order, work, access, quiet=quiet)
        except BaseException:
            with suppress(duckdb.Error):  # the error that led here is the one to tell
                runs.forget_unplanned(connection)
            raise


def _generate(
    connection: Connection, order: Order, work: WorkFolder, access: Access, *, quiet: bool
) -> Generated:
    assert order.generation is not None
    bound_memory(connection, order.settings.execution)
    left = recover(connection, order, work)
    save_order(order, work.order)
    run_id = left or runs.next_run_id(connection)
    with prefect_api():
        from flows.flow_runs import close_stale_flow_runs, forget_flow_runs
        from flows.generating.pipeline import charthouse_generate
        from flows.pipeline import run_flow

        with lost_api_told():
            close_stale_flow_runs(work)
        if not left:
            runs.begin_run(connection, run_id, order)
        with Reporter(run_id, work.status, quiet=quiet) as reporter:
            if left:
                reporter.say(f"Going on with the interrupted run {run_id}")
            run_flow(charthouse_generate, Session(run_id, connection, order, work, reporter))
        forget_flow_runs(work)
    publish_configured(connection, order.warehouse, order.settings.warehouse.snapshot, access)
    return summarise_generation(connection, order.warehouse, run_id, order.generation)


def recover(connection: Connection, order: Order, work: WorkFolder) -> str | None:
    """Decide about interrupted runs of generation; those of the main job are left alone.

    One of the same order is gone on with, if its shard files are there and what it has left to do
    is what is to be done now: the main job may have changed documents since. All others are given
    up: what they loaded stays, and the rest is planned anew when it is asked for again.

    Returns:
        The run to go on with, if any.
    """
    found: str | None = None
    kept = set[str]()
    for run in runs.open_runs(connection):
        if not run.generates:
            kept.add(run.run_id)
        elif not run.planned:
            runs.forget_run(connection, run.run_id)
        elif (
            found is None
            and run.order_hash == order.order_hash
            and shards_are_there(connection, work, run.run_id)
            and GenerationPlanner(connection, order, work, run.run_id).still_stands()
        ):
            found = run.run_id
        else:
            runs.abandon_run(connection, run.run_id)
    remove_folders(work, kept=kept | ({found} if found else set()))
    return found
