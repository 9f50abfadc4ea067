"""The main job as Prefect flows: plan, annotate, link, publish.

Flows and tasks are given the work folder, a run id and numbers. Sources, settings and documents
are read from the work folder, so that no text, native id or file name reaches Prefect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.futures import PrefectFuture

from flows.annotating import AnnotateStage
from flows.api_loss import entered_again, is_api_loss
from flows.dispatch import LOCAL_POOL
from flows.flow_runs import note_flow_run
from flows.linking import Chunk, LinkStage
from flows.plan import Planner
from flows.processes import STOP
from flows.receipt import Receipt
from flows.session import RUNS, Session, StageFailed, stage
from flows.summary import artifact_rows
from flows.tasks import annotate_shard, in_pool, link_names
from flows.warehouse import runs
from flows.warehouse.runs import PlannedShard
from flows.work import remove_tree

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
        except StageFailed:
            STOP.check()  # a signal to the whole group ends servers and workers as well
            if session.error is None:
                raise
            raise session.error from None
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
    with stage(session, "publish"):
        publish(session)


@flow(name="charthouse-relink", persist_result=False, validate_parameters=False)
def charthouse_relink(root: str, run_id: str) -> None:
    """Names to concepts alone."""
    session = RUNS.current(run_id)
    note_flow_run(session.work)
    with stage(session, "link"):
        link(session)


def plan(session: Session) -> None:
    """Read the sources and store the plan, unless an interrupted run has stored it already."""
    if runs.is_planned(session.connection, session.run_id):
        return
    clock = time.perf_counter()
    session.reporter.stage("reading", "records", None)
    planner = Planner(
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
    work = AnnotateStage(session)
    root, run_id = str(session.work.root), session.run_id
    task_here = annotate_shard.with_options(retries=session.order.settings.execution.retries)

    def submit(shard: PlannedShard) -> PrefectFuture[Receipt]:
        return task_here.submit(root, run_id, shard.number, shard.checksum, shard.one_by_one)

    def run_wave(shards: Sequence[PlannedShard], workers: int) -> list[PlannedShard]:
        return in_pool(
            "annotate-wave",
            session,
            workers,
            lambda: work.through_pool(shards, submit, LOCAL_POOL),
        )

    work.run(run_wave)


def link(session: Session) -> None:
    """Link the names that the current linksets do not know."""
    work = LinkStage(session)
    root, run_id = str(session.work.root), session.run_id

    def submit(chunk: Chunk) -> PrefectFuture[Receipt]:
        return link_names.submit(root, run_id, *chunk, watched=True)

    def run_wave(chunks: Sequence[Chunk], workers: int) -> list[Chunk]:
        return in_pool(
            "link-wave", session, workers, lambda: work.through_pool(chunks, submit, LOCAL_POOL)
        )

    if len(work.chunks) <= CHUNKS_LINKED_HERE:
        work.here(lambda chunk: link_names(root, run_id, *chunk))
    else:
        work.run(run_wave)
    work.close()


def publish(session: Session) -> None:
    """Leave the run's counts in Prefect as a table and end it in the warehouse."""
    try:
        create_table_artifact(
            key="charthouse-run",
            table=artifact_rows(session.connection, session.run_id),
            description="Counts of this charthouse run",
        )
    except Exception as error:  # the run is complete, whatever Prefect says
        session.reporter.say(f"Prefect did not take the table of counts ({type(error).__name__})")
    runs.finish_run(
        session.connection,
        session.run_id,
        session.seconds.get("annotate", 0.0),
        session.seconds.get("link", 0.0),
    )
    remove_tree(session.work.run(session.run_id))
