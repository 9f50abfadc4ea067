"""A run from the door to the summary: checks, recovery, the flow, the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import duckdb

from flows.api_loss import lost_api_told
from flows.cluster.door import at_the_door
from flows.counts import Preview
from flows.devices import check_device
from flows.errors import CharthouseError
from flows.opened import opened
from flows.order import Order, save_order
from flows.plan import Planner
from flows.prefect_server import prefect_api
from flows.processes import stoppable
from flows.progress import Reporter
from flows.pseudonyms import pseudonyms, pseudonyms_of
from flows.quality.drift import check_baseline
from flows.readers.base import SourceFile
from flows.readers.discover import discover
from flows.recovery import remove_folders, shards_are_there
from flows.reporting.configured import check_report, publish_report
from flows.session import Session
from flows.settings import LOCAL, Settings
from flows.sources import files_are_as_planned, is_numbered, numbering_clash
from flows.storage import is_url
from flows.summary import Summary, summarise
from flows.targets import link_targets, stores_to_link
from flows.warehouse import runs
from flows.warehouse.access import Access, access_of
from flows.warehouse.connection import (
    Connection,
    EmptyWarehouseError,
    prepare,
    read_warehouse,
    remove_if_unused,
)
from flows.warehouse.memory import bound_memory
from flows.warehouse.privacy import check_privacy
from flows.warehouse.snapshots import check_configured, publish_configured
from flows.work import WorkFolder
from nlp.errors import UNUSABLE
from nlp.fingerprint import identify


def prepare_order(sources: Sequence[str], warehouse: Path, settings: Settings) -> Order:
    """Check everything at the door: sources, what finds mentions, stores, the warehouse's folder.

    Raises:
        CharthouseError: something is missing or unusable; nothing has been written.
    """
    if not warehouse.parent.is_dir():
        raise CharthouseError(
            f"warehouse {warehouse}: its folder does not exist", f"Create {warehouse.parent} first"
        )
    if set(str(warehouse.resolve())) & set("*?["):
        raise CharthouseError(
            f"warehouse {warehouse}: its path holds one of * ? [", "DuckDB reads these as a pattern"
        )
    check_configured(settings.warehouse.snapshot, warehouse, access_of(settings.warehouse))
    check_report(warehouse, settings.report)
    files = discover(
        sources,
        format=settings.source.format,
        corpus=settings.source.corpus,
        columns=settings.source.columns,
    )
    _check_ids(files)
    try:
        settings = at_the_door(settings, warehouse)
        if settings.execution.runner == LOCAL:  # a cluster has its own devices
            check_device(settings.ner.device, settings.ner.precision)
        annotation = identify(settings.annotation)
    except UNUSABLE as error:
        raise CharthouseError(str(error)) from None
    targets = link_targets(_stores(warehouse, settings), settings)
    return Order(
        warehouse.resolve(),
        known_as(files, settings),
        settings,
        annotation,
        targets,
        tuple(s if is_url(s) else str(Path(s).expanduser().absolute()) for s in sources),
    )


def known_as(files: Sequence[SourceFile], settings: Settings) -> tuple[SourceFile, ...]:
    """The files under the names by which the warehouse knows them.

    Raises:
        CharthouseError: names are to be hidden, and there is no secret.
    """
    absolute = map(_absolute, files)
    hidden = pseudonyms(settings.privacy)
    return tuple(map(hidden.file, absolute)) if hidden else tuple(absolute)


def _absolute(file: SourceFile) -> SourceFile:
    """The file under its absolute path, wherever the run starts from."""
    if file.url is not None:
        return file
    root = file.root.absolute() if file.root else None
    return replace(file, path=file.path.absolute(), root=root)


def _check_ids(files: Sequence[SourceFile]) -> None:
    """Records without ids are numbered in their file: two such files cannot share a corpus."""
    numbered: dict[str, str] = {}
    for file in files:
        if is_numbered(file) and numbered.setdefault(file.corpus, file.place) != file.place:
            raise numbering_clash(numbered[file.corpus], file)


def _stores(warehouse: Path, settings: Settings) -> Sequence[str]:
    """The stores to link to; the warehouse is only opened where it has to say."""
    if settings.ontologies:
        return settings.ontologies
    with _for_reading(warehouse, settings) as connection:
        return stores_to_link(connection, settings)


def preview(order: Order) -> Preview:
    """What a run would do; reads the sources, writes nothing."""
    with _for_reading(order.warehouse, order.settings) as connection, stoppable() as stop:
        check_privacy(connection, order.settings.privacy)
        check_baseline(connection, order.settings.quality)
        work = WorkFolder.beside(order.warehouse)
        return Planner(connection, order, work, "preview", check=stop.check).preview()


@contextmanager
def _for_reading(warehouse: Path, settings: Settings) -> Iterator[Connection]:
    """The warehouse, or an empty one in memory where there is none yet."""
    access = access_of(settings.warehouse)
    with ExitStack() as stack:
        try:
            exists = warehouse.exists()
            connection = stack.enter_context(read_warehouse(warehouse, access)) if exists else None
        except EmptyWarehouseError:
            connection = None
        if connection is None:
            connection = stack.enter_context(duckdb.connect(":memory:"))
            prepare(connection)
        yield connection


def execute(order: Order, *, quiet: bool = False) -> Summary:
    """Do what the order says, continuing an interrupted run where there is one.

    Raises:
        CharthouseError: a stage failed; what was loaded before is kept.
        Interrupted: the user stopped the run; the same order goes on with it.
    """
    is_new = not order.warehouse.exists()
    access = access_of(order.settings.warehouse, quiet=quiet)
    work = WorkFolder.beside(order.warehouse)
    nothing_read = False
    try:
        with opened(order.warehouse, work, access) as connection:
            try:
                return _execute(connection, order, work, access, quiet=quiet)
            except BaseException:
                with suppress(duckdb.Error):  # the error that led here is the one to tell
                    runs.forget_unplanned(connection)
                    nothing_read = not runs.any_runs(connection)
                raise
    finally:
        if is_new and nothing_read:  # a warehouse of empty tables would only puzzle
            remove_if_unused(order.warehouse, access)


def _execute(
    connection: Connection, order: Order, work: WorkFolder, access: Access, *, quiet: bool
) -> Summary:
    bound_memory(connection, order.settings.execution)
    check_privacy(connection, order.settings.privacy)
    check_baseline(connection, order.settings.quality)
    leftovers = _recover(connection, order, work)
    save_order(order, work.order)
    runs.record_annotation_set(connection, order.annotation)
    with prefect_api():
        from flows.flow_runs import close_stale_flow_runs, forget_flow_runs
        from flows.pipeline import charthouse, run_flow

        with lost_api_told():
            close_stale_flow_runs(work)
        for run_id in leftovers:
            with Reporter(run_id, work.status, quiet=quiet) as reporter:
                reporter.say(f"Going on with the interrupted run {run_id}")
                run_flow(charthouse, Session(run_id, connection, order, work, reporter))
        goes_on = leftovers and runs.order_hash(connection, leftovers[-1]) == order.order_hash
        if goes_on and files_are_as_planned(connection, order, pseudonyms_of(order)):
            run_id = leftovers[-1]
        else:
            run_id = runs.next_run_id(connection)
            runs.begin_run(connection, run_id, order)
            with Reporter(run_id, work.status, quiet=quiet) as reporter:
                run_flow(charthouse, Session(run_id, connection, order, work, reporter))
        forget_flow_runs(work)
    publish_configured(connection, order.warehouse, order.settings.warehouse.snapshot, access)
    publish_report(connection, order.warehouse, order.settings.report)
    return summarise(
        connection,
        order.warehouse,
        run_id,
        here={*leftovers, run_id},
        continued=run_id in leftovers,
        privacy=order.settings.privacy,
    )


def _recover(connection: Connection, order: Order, work: WorkFolder) -> list[str]:
    """Decide about interrupted runs: which are finished first, and which are given up.

    A run whose shard files are lost is abandoned. A run of the same order is continued, planned or
    not. A planned run of another order is finished if it wrote the same annotation set. All others
    are abandoned: their documents are planned anew when their sources are named again. Runs of
    generation are left to charthouse generate.

    Returns:
        Ids of runs to finish, the one of this order last.
    """
    same, others, generating = list[str](), list[str](), set[str]()
    for run in runs.open_runs(connection):
        if run.generates:
            generating.add(run.run_id)
        elif run.planned and not shards_are_there(connection, work, run.run_id):
            runs.abandon_run(connection, run.run_id)
        elif run.order_hash == order.order_hash and not same:
            same.append(run.run_id)
        elif run.planned and run.annotation_id == order.annotation.annotation_id:
            others.append(run.run_id)
        else:
            runs.abandon_run(connection, run.run_id)
    remove_folders(work, kept={*same, *others, *generating})
    return others + same
