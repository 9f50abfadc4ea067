"""A training from the door to the summary: recovery, the flow, the outcome."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from flows.errors import CharthouseError
from flows.prefect_server import prefect_api
from flows.processes import STOP, stoppable
from flows.progress import Reporter
from flows.session import StageFailed
from flows.training.history import read_history
from flows.training.order import Scores, TrainingOrder, save_order
from flows.training.output import (
    HISTORY,
    LOCK,
    check_output,
    clear_output,
    finished_description,
    give_up,
    goes_on,
)
from flows.training.session import TRAININGS, TrainingSession
from flows.training.summary import TrainingSummary
from flows.warehouse.runs import new_run_id
from flows.work import WorkFolder, make_private, remove_tree


def execute(order: TrainingOrder, *, overwrite: bool, quiet: bool = False) -> TrainingSummary:
    """Train as the order says, going on where an interrupted training of the same order stopped.

    Args:
        order: what to do.
        overwrite: remove a former model in the order's folder, and another unfinished training.
        quiet: show no progress.

    Raises:
        CharthouseError: the folder is not free, or the training failed.
        Interrupted: the user stopped the training; the same order goes on with it.
    """
    done = None if overwrite else finished_description(order)
    if done is not None and not order.work.order.is_file():
        return _summary(order, done["scores"], nothing_to_do=True)
    check_output(order, overwrite=overwrite)
    with stoppable(), _held(order.work):
        check_output(order, overwrite=overwrite)  # another training may have ended meanwhile
        clear_output(order)
        save_order(order)
        try:
            session = _train(order, quiet=quiet)
        except BaseException:
            give_up(order)
            raise
        remove_tree(order.work.root)
    return _summary(order, session.scores)


def _train(order: TrainingOrder, *, quiet: bool) -> TrainingSession:
    work = order.work
    run_id = new_run_id()
    with prefect_api(), Reporter(run_id, work.status, quiet=quiet) as reporter:
        from flows.flow_runs import close_stale_flow_runs, forget_flow_runs
        from flows.training.flow import charthouse_train

        close_stale_flow_runs(work)
        if goes_on(order):
            reporter.say("Going on from the last checkpoint")
        for note in order.notes:
            reporter.say(note)
        session = TrainingSession(run_id, order, reporter)
        with TRAININGS.opened(run_id, session):
            try:
                charthouse_train(str(work.root), run_id)
            except StageFailed:
                STOP.check()
                if session.error is None:
                    raise
                raise session.error from None
        forget_flow_runs(work)
    return session


@contextmanager
def _held(work: WorkFolder) -> Iterator[None]:
    """Keep a second training of the same folder out; the lock ends with the process."""
    make_private(work.root)
    with (work.root / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CharthouseError(
                f"{work.root} is in use by another training", "Wait for it, or name another --out"
            ) from None
        yield


def _summary(
    order: TrainingOrder, scores: Scores, *, nothing_to_do: bool = False
) -> TrainingSummary:
    history = tuple(read_history(order.out / HISTORY))
    return TrainingSummary(order, scores, history, nothing_to_do)
