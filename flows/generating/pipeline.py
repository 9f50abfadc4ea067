"""The flow of generation: plan, generate, publish. Prefect is given a folder and an id."""

from __future__ import annotations

from prefect import flow
from prefect.artifacts import create_table_artifact

from flows.conservation import ConservationError
from flows.flow_runs import note_flow_run
from flows.generating.conservation import check_generation
from flows.generating.plan import GenerationPlanner
from flows.generating.stage import GenerateStage
from flows.generating.summary import count_generated
from flows.pipeline import store_plan, work_on_shards
from flows.session import RUNS, Session, stage
from flows.tasks import generate_shard
from flows.warehouse import runs
from flows.work import remove_tree


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
    session.handover.close()
    try:
        check_generation(session.connection, session.run_id)
    except ConservationError:
        runs.fail_run(session.connection, session.run_id)
        raise
    counted = count_generated(session.connection, [session.run_id])
    try:
        create_table_artifact(
            key="charthouse-generate-run",
            table=[{"what": name, "value": value} for name, value in counted.items()],
            description="Counts of this run of charthouse generate",
        )
    except Exception as error:  # the run is complete, whatever Prefect says
        session.reporter.say(f"Prefect did not take the table of counts ({type(error).__name__})")
    seconds = {"annotate": session.seconds.get("generate", 0.0)}
    runs.finish_run(session.connection, session.run_id, seconds)
    remove_tree(session.work.run(session.run_id))
