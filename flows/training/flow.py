"""The training as a Prefect flow. Parameters are the work folder and a run id: no text, no file.

The training runs in the main process, so that Ctrl-C reaches it between two steps and a kill
leaves nothing behind that goes on writing checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.errors import CharthouseError
from flows.flow_runs import note_flow_run
from flows.publishing import RunTable, offer
from flows.session import stage
from flows.training.order import CANNOT_TRAIN
from flows.training.output import CHECKPOINTS, MODEL, publish_model
from flows.training.session import TRAININGS, TrainingSession
from flows.training.watch import Watch
from flows.work import remove_tree


@flow(name="charthouse-train", persist_result=False, validate_parameters=False)
def charthouse_train(root: str, run_id: str) -> None:
    """Examples to a model folder."""
    session = TRAININGS.current(run_id)
    note_flow_run(session.order.work)
    train_model.with_options(name=f"train-{session.order.kind}")(root, run_id)
    with stage(session, "publish"):
        publish(session)


@task(name="train", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def train_model(root: str, run_id: str) -> None:
    """Train, from the last checkpoint where there is one, and save the model beside its folder."""
    session = TRAININGS.current(run_id)
    with stage(session, "train"):
        _train(session)


def _train(session: TrainingSession) -> None:
    import torch

    order = session.order
    made = order.work.root / MODEL
    remove_tree(made)
    watch = Watch(session)
    try:
        session.scores = order.fit(made, order.work.root / CHECKPOINTS, watch.report)
    except torch.OutOfMemoryError:
        raise CharthouseError("not enough GPU memory for a step", order.when_too_large) from None
    except CANNOT_TRAIN as error:
        raise CharthouseError(str(error)) from None
    watch.end()


def publish(session: TrainingSession) -> None:
    """Leave the scores in Prefect as a table and put the model into its folder."""
    publish_model(session.order, session.scores)
    offer(session.reporter, "the table of scores", _tables(session))


def _tables(session: TrainingSession) -> Iterator[RunTable]:
    rows = session.order.score_rows(session.scores)
    yield RunTable("charthouse-train-scores", rows, session.order.scores_title)
