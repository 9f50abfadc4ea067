"""Prefect flow runs of a killed process: they would stay RUNNING for ever."""

from __future__ import annotations

import contextlib
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Crashed

from flows.work import WorkFolder, make_private


def note_flow_run(work: WorkFolder) -> None:
    """Remember the flow run at work, so that a later run can close it if this one is killed.

    That of the scheduled job it belongs to is remembered too.
    """
    for known in {flow_run.id, flow_run.root_flow_run_id} - {None}:
        (make_private(work.flow_runs) / str(known)).touch()


def forget_flow_runs(work: WorkFolder) -> None:
    """This process has ended its flow runs itself."""
    for note in work.flow_runs.glob("*"):
        note.unlink(missing_ok=True)


def close_stale_flow_runs(work: WorkFolder) -> int:
    """Mark flow runs of a killed process as crashed; returns how many.

    The caller holds the warehouse, so whatever was noted here before has ended.
    """
    notes = list(work.flow_runs.glob("*"))
    if not notes:
        return 0
    closed = 0
    with get_client(sync_client=True) as client:
        for note in notes:
            with contextlib.suppress(ObjectNotFound, ValueError):
                known = client.read_flow_run(UUID(note.name))
                if known.state is not None and not known.state.is_final():
                    client.set_flow_run_state(
                        known.id, Crashed(message="its process was killed"), force=True
                    )
                    closed += 1
    forget_flow_runs(work)
    return closed
