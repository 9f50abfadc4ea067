"""The flow of generation: plan, generate, publish. Prefect is given a folder and an id."""

from __future__ import annotations

from collections.abc import Iterator

from prefect import flow

from flows.flow_runs import note_flow_run
from flows.generating.conservation import check_generation
from flows.generating.plan import GenerationPlanner
from flows.generating.stage import GenerateStage
from flows.generating.summary import count_generated
from flows.publishing import RunTable, end_run
from flows.session import RUNS, Session, stage
from flows.stages import store_plan, work_on_shards
from flows.tasks import generate_shard


@flow(name="charthouse-generate", persist_result=False, validate_parameters=False)
def charthouse_generate(root: str, run_id: str) -> None:
    """Items to shards, shards to texts and relations."""
    session = RUNS.current(run_id)
    note_flow_run(session.work)
    with stage(session, "plan"):
        plan(session)
    with stage(session, "generate"):
        work_on_shards(session, GenerateStage, generate_shard)
    with stage(session, "publish"):
        publish(session)


def plan(session: Session) -> None:
    """Take the items from the task and store the plan, unless that was done before a kill."""
    store_plan(session, GenerationPlanner, "planning", "items")


def publish(session: Session) -> None:
    """Check that nothing was lost, leave the counts in Prefect, and end the run.

    Raises:
        ConservationError: something was; the run is marked as failed.
    """
    seconds = {"annotate": session.seconds.get("generate", 0.0)}
    end_run(session, check_generation, _tables, seconds)


def _tables(session: Session) -> Iterator[RunTable]:
    counted = count_generated(session.connection, [session.run_id])
    yield RunTable(
        "charthouse-generate-run",
        [{"what": name, "value": value} for name, value in counted.items()],
        "Counts of this run of charthouse generate",
    )
