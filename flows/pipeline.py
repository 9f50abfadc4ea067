"""The main job as Prefect flows: plan, annotate, link, derive, measure, publish.

Flows and tasks are given the work folder, a run id and numbers. Sources, settings and documents
are read from the work folder, so that no text, native id or file name reaches Prefect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from prefect import Task, flow
from prefect.artifacts import create_table_artifact
from prefect.exceptions import TerminationSignal
from prefect.futures import PrefectFuture

from flows.annotating import AnnotateStage
from flows.api_loss import entered_again, is_api_loss
from flows.artifact import artifact_rows
from flows.conservation import ConservationError, check_run
from flows.counts import PlanCounts
from flows.flow_runs import note_flow_run
from flows.linking import Chunk, LinkStage
from flows.plan import Planner
from flows.processes import STOP, Interrupted
from flows.quality.artifact import quality_rows
from flows.quality.drift import crossed
from flows.quality.measure import measure
from flows.quality.schema import FAILED, WARNING
from flows.quality.telling import told
from flows.receipt import Receipt
from flows.runners import asking, pool_of
from flows.session import RUNS, QualityFailed, Session, StageFailed, stage
from flows.shard_stage import ShardStage
from flows.tasks import annotate_shard, in_pool, link_names
from flows.warehouse import runs
from flows.warehouse.derived.refresh import refresh_if_changed
from flows.warehouse.derived.schema import DERIVED_TABLES
from flows.warehouse.runs import PlannedShard
from flows.work import file_sha256, remove_tree
from flows.worker import names_file

CHUNKS_LINKED_HERE = 2
"""So many chunks of names are linked in the main process; more of them get a pool."""


def run_flow(job: Callable[[str, str], None], session: Session) -> None:
    """Run a flow, and raise what really went wrong instead of what Prefect was told.

    The flow is entered again where Prefect's API went away and is back.
    """

    def enter() -> None:
        session.error = None
        try:
            job(str(session.work.root), session.run_id)
        except QualityFailed:
            return  # all is done and told; the tables say which thresholds were crossed
        except StageFailed:
            STOP.check()  # a signal to the whole group ends servers and workers as well
            if session.error is None:
                raise
            raise session.error from None
        except TerminationSignal:  # SIGTERM between two stages, where Prefect hears it first
            raise Interrupted from None
        except Exception as error:
            STOP.check()
            if not is_api_loss(error):
                raise
            if runs.is_done(session.connection, session.run_id):
                session.reporter.say("Prefect's API went away: it does not know of the run's end")
                return
            # The error that the stage ended with, if there was one, is the one to tell.
            raise session.error or error from None

    with RUNS.opened(session.run_id, session):
        entered_again(enter, session.reporter.say)


@flow(name="charthouse", persist_result=False, validate_parameters=False)
def charthouse(root: str, run_id: str) -> None:
    """The main job: sources to shards, shards to tables, names to concepts."""
    session = RUNS.current(run_id)
    note_flow_run(session.work)
    with stage(session, "plan"):
        plan(session)
    with stage(session, "annotate"):
        annotate(session)
    with stage(session, "link"):
        link(session)
    with stage(session, "derive"):
        derive(session)
    with stage(session, "quality"):
        measure_quality(session)
    with stage(session, "publish"):
        publish(session)
    judge(session)


@flow(name="charthouse-relink", persist_result=False, validate_parameters=False)
def charthouse_relink(root: str, run_id: str) -> None:
    """Names to concepts alone."""
    session = RUNS.current(run_id)
    note_flow_run(session.work)
    with stage(session, "link"):
        link(session)
    with stage(session, "derive"):
        derive(session)


def plan(session: Session) -> None:
    """Read the sources and store the plan, unless an interrupted run has stored it already."""
    store_plan(session, Planner, "reading", "records")


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


def annotate(session: Session) -> None:
    """Annotate and load all planned shards, a flow run per wave."""
    work_on_shards(session, AnnotateStage, annotate_shard)


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


def link(session: Session) -> None:
    """Link the names that the current linksets do not know."""
    work = LinkStage(session)
    execution, run_id = session.order.settings.execution, session.run_id

    def here(chunk: Chunk) -> Receipt:
        names = names_file(session.work, run_id, *chunk)
        return link_names(str(session.work.root), run_id, *chunk, file_sha256(names))

    def submit(chunk: Chunk) -> PrefectFuture[Receipt]:
        names = names_file(session.work, run_id, *chunk)
        session.handover.give(names)
        root, checksum = session.handover.root, file_sha256(names)
        with asking(execution):
            return link_names.submit(root, run_id, *chunk, checksum, watched=True)

    def run_wave(chunks: Sequence[Chunk], workers: int) -> list[Chunk]:
        return in_pool(
            "link-wave",
            session,
            workers,
            lambda: work.through_pool(chunks, submit, pool_of(execution)),
        )

    if len(work.chunks) <= CHUNKS_LINKED_HERE:
        work.here(here)
    else:
        session.handover.open(session.order)
        work.run(run_wave)
    work.close()


def derive(session: Session) -> None:
    """Make the derived tables anew, unless they are those of what is current now."""
    settings = session.order.settings.derived
    if settings.enabled:
        session.reporter.stage("deriving", "tables", len(DERIVED_TABLES))
        if refresh_if_changed(session.connection, settings, STOP.check):
            session.reporter.end(len(DERIVED_TABLES))


def measure_quality(session: Session) -> None:
    """Measure what the run found."""
    if session.order.settings.quality.enabled:
        session.reporter.stage("measuring", "runs", None)
        measure(session.connection, session.run_id, session.order.settings.quality)


def publish(session: Session) -> None:
    """Check that nothing was lost, leave the counts in Prefect, and end the run.

    Raises:
        ConservationError: something was; the run is marked as failed.
    """
    session.handover.close()
    try:
        check_run(session.connection, session.run_id)
    except ConservationError:
        runs.fail_run(session.connection, session.run_id)
        raise
    try:
        create_table_artifact(
            key="charthouse-run",
            table=artifact_rows(session.connection, session.run_id, session.seconds),
            description="Counts, rates, seconds and rejects of this charthouse run",
        )
        if quality := quality_rows(session.connection, session.run_id):
            create_table_artifact(
                key="charthouse-quality",
                table=quality,
                description="What this charthouse run found, and how far it is from others; "
                "`charthouse quality` names corpora and labels",
            )
    except Exception as error:  # the run is complete, whatever Prefect says
        session.reporter.say(f"Prefect did not take the tables of counts ({type(error).__name__})")
    runs.finish_run(session.connection, session.run_id, session.seconds)
    remove_tree(session.work.run(session.run_id))


def judge(session: Session) -> None:
    """End the flow as failed where a threshold of quality says so; the run is done all the same.

    Raises:
        QualityFailed: for Prefect, with counts alone.
    """
    found = crossed(session.connection, [session.run_id])
    if found.get(FAILED):
        raise QualityFailed(told(found[FAILED], found.get(WARNING, 0)))
