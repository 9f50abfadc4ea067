"""The main job as Prefect flows: plan, annotate, link, derive, measure, publish.

Flows and tasks are given the work folder, a run id and numbers. Sources, settings and documents
are read from the work folder, so that no text, native id or file name reaches Prefect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prefect import flow
from prefect.exceptions import TerminationSignal
from prefect.futures import PrefectFuture

from flows.annotating import AnnotateStage
from flows.api_loss import entered_again, is_api_loss
from flows.artifact import artifact_rows
from flows.conservation import check_run
from flows.flow_runs import note_flow_run
from flows.link_worker import names_file
from flows.linking import Chunk, LinkStage
from flows.plan import Planner
from flows.processes import STOP, Interrupted
from flows.publishing import RunTable, end_run
from flows.quality.artifact import quality_rows
from flows.quality.drift import crossed
from flows.quality.measure import measure
from flows.quality.schema import FAILED, WARNING
from flows.quality.telling import told
from flows.receipt import Receipt
from flows.runners import asking, pool_of
from flows.session import RUNS, QualityFailed, Session, StageFailed, stage
from flows.stages import store_plan, work_on_shards
from flows.tasks import annotate_shard, in_pool, link_names
from flows.warehouse import runs
from flows.warehouse.derived.refresh import refresh_if_changed
from flows.warehouse.derived.schema import DERIVED_TABLES
from flows.work import file_sha256

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


def annotate(session: Session) -> None:
    """Annotate and load all planned shards, a flow run per wave."""
    work_on_shards(session, AnnotateStage, annotate_shard)


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
    end_run(session, check_run, _tables, session.seconds)


def _tables(session: Session) -> Iterator[RunTable]:
    yield RunTable(
        "charthouse-run",
        artifact_rows(session.connection, session.run_id, session.seconds),
        "Counts, rates, seconds and rejects of this charthouse run",
    )
    if quality := quality_rows(session.connection, session.run_id):
        yield RunTable(
            "charthouse-quality",
            quality,
            "What this charthouse run found, and how far it is from others; "
            "`charthouse quality` names corpora and labels",
        )


def judge(session: Session) -> None:
    """End the flow as failed where a threshold of quality says so; the run is done all the same.

    Raises:
        QualityFailed: for Prefect, with counts alone.
    """
    found = crossed(session.connection, [session.run_id])
    if found.get(FAILED):
        raise QualityFailed(told(found[FAILED], found.get(WARNING, 0)))
