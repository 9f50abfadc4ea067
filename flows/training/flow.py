"""The training as a Prefect flow. Parameters are the work folder and a run id: no text, no file.

The training runs in the main process, so that Ctrl-C reaches it between two steps and a kill
leaves nothing behind that goes on writing checkpoints.
"""

from __future__ import annotations

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.errors import CharthouseError
from flows.flow_runs import note_flow_run
from flows.session import stage
from flows.training.order import gold_texts
from flows.training.output import CHECKPOINTS, MODEL, publish_model
from flows.training.session import TRAININGS, TrainingSession
from flows.training.summary import score_rows
from flows.training.watch import Watch
from flows.work import remove_tree


@flow(name="charthouse-train", persist_result=False, validate_parameters=False)
def charthouse_train(root: str, run_id: str) -> None:
    """Gold texts to a model folder."""
    session = TRAININGS.current(run_id)
    note_flow_run(session.order.work)
    train_model(root, run_id)
    with stage(session, "publish"):
        publish(session)


@task(name="train-ner", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def train_model(root: str, run_id: str) -> None:
    """Train, from the last checkpoint where there is one, and save the model beside its folder."""
    session = TRAININGS.current(run_id)
    with stage(session, "train"):
        _train(session)


def _train(session: TrainingSession) -> None:
    import torch

    from nlp.ner.errors import DeviceError, ModelError, TrainingError
    from nlp.ner.training import train

    order = session.order
    made = order.work.root / MODEL
    remove_tree(made)
    watch = Watch(session)
    try:
        session.scores = train(
            order.base.folder,
            gold_texts(order.data.train),
            gold_texts(order.data.dev),
            made,
            order.recipe,
            checkpoints=order.work.root / CHECKPOINTS,
            device=order.device,
            report=watch.report,
            describe=order.describe(),
        )
    except (TrainingError, ModelError, DeviceError) as error:
        raise CharthouseError(str(error)) from None
    except torch.OutOfMemoryError:
        raise CharthouseError(
            "not enough GPU memory for a step", "Lower --batch-tokens and add --overwrite"
        ) from None
    watch.end()


def publish(session: TrainingSession) -> None:
    """Leave the scores in Prefect as a table and put the model into its folder."""
    publish_model(session.order, session.scores)
    try:
        create_table_artifact(
            key="charthouse-train-scores",
            table=score_rows(session.scores),
            description="Strict span scores on the dev texts",
        )
    except Exception as error:  # the model is there, whatever Prefect says
        session.reporter.say(f"Prefect did not take the table of scores ({type(error).__name__})")
