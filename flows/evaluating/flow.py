"""The evaluation as a Prefect flow, where there is a Prefect to tell.

With an API configured, as for jobs that a team schedules, an evaluation is a flow run with its
scores as a table. Without one it is a plain call: starting a temporary server takes longer than
many an evaluation, there is nothing here to resume or to spread, and nobody would look at the
server. ``--prefect`` starts one all the same. Either way the same code is run.

Prefect is given a task's name and an id. The artifact holds labels and numbers: gold files are
numbered, since their names may identify people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from prefect import flow

from flows.evaluating.evaluation import Evaluation
from flows.progress import Reporter
from flows.publishing import RunTable, offer
from flows.session import OpenSessions, StageFailed, stage


@dataclass
class EvaluationSession:
    """An evaluation under way: what its flow is to do, and what came of it."""

    evaluate: Callable[[], Evaluation]
    reporter: Reporter
    result: Evaluation | None = None
    error: BaseException | None = None
    seconds: dict[str, float] = field(default_factory=dict)


EVALUATIONS: OpenSessions[EvaluationSession] = OpenSessions()


def as_flow(
    task: str, evaluation_id: str, evaluate: Callable[[], Evaluation], reporter: Reporter
) -> Evaluation:
    """Run an evaluation as a flow run; within ``prefect_api()``.

    Raises whatever the evaluation raises, which Prefect is not told the words of.
    """
    with EVALUATIONS.opened(evaluation_id, EvaluationSession(evaluate, reporter)) as session:
        try:
            charthouse_evaluate(task, evaluation_id)
        except StageFailed:
            if session.error is None:
                raise
            raise session.error from None
    assert session.result is not None
    return session.result


@flow(name="charthouse-evaluate", persist_result=False, validate_parameters=False)
def charthouse_evaluate(task: str, evaluation_id: str) -> None:
    """Judge models or links against gold files."""
    session = EVALUATIONS.current(evaluation_id)
    with stage(session, f"evaluate {task}"):
        session.result = session.evaluate()
    offer(session.reporter, "the table of scores", _tables(task, session.result))


def _tables(task: str, evaluation: Evaluation) -> Iterator[RunTable]:
    rows = _artifact_rows(evaluation)
    yield RunTable("charthouse-evaluate", rows, f"Scores of charthouse evaluate {task}")


def _artifact_rows(evaluation: Evaluation) -> list[dict[str, object]]:
    return [
        {
            "gold file": number,
            "scope": score.scope,
            "label": score.label,
            "measure": score.measure,
            "value": round(score.value, 4),
            "low": round(score.low, 4),
            "high": round(score.high, 4),
        }
        for number, judgement in enumerate(evaluation.corpora, start=1)
        for score in judgement.scores
    ]
