"""An evaluation from the door to its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from flows.errors import CharthouseError
from flows.evaluating import abbreviations, assertion, questions
from flows.evaluating.concepts import evaluate_concepts
from flows.evaluating.evaluation import Evaluation
from flows.evaluating.gold import GoldCorpus, read_corpora
from flows.evaluating.linking import evaluate_linking
from flows.evaluating.ner import evaluate_ner
from flows.evaluating.relations import evaluate_relations
from flows.evaluating.request import Request
from flows.labels import check_rules_are_used
from flows.prefect_server import configured_api, prefect_api
from flows.progress import Reporter
from flows.warehouse.access import Access
from flows.warehouse.connection import open_warehouse

TASKS: dict[str, Callable[[Request, Sequence[GoldCorpus], Reporter], Evaluation]] = {
    "ner": evaluate_ner,
    "concepts": evaluate_concepts,
    "linking": evaluate_linking,
    "relations": evaluate_relations,
}
"""What is judged by gold mentions or relations, by the name of its command."""

ABBREVIATIONS = "abbreviations"
"""The command that is judged by gold definitions."""

ASSERTION = "assertion"
"""The command that is judged by concepts in sentences."""

QUESTIONS = "qa"
"""The command that is judged by questions with options."""


def evaluate(
    task: str, request: Request, *, prefect: bool | None = None, quiet: bool = False
) -> Evaluation:
    """Read the gold files and judge by them.

    Args:
        task: a key of :data:`TASKS`, :data:`ABBREVIATIONS`, :data:`ASSERTION` or
            :data:`QUESTIONS`.
        request: what to judge, and how.
        prefect: as a Prefect flow or not; ``None`` = where an API is configured.
        quiet: show no progress.

    Raises:
        CharthouseError: a gold file, a model, a store, a warehouse or Prefect cannot be used.
    """
    judge = _with_gold(task, request)
    with Reporter(request.evaluation_id, None, quiet=quiet) as reporter:
        wants_prefect = bool(configured_api()) if prefect is None else prefect
        if not wants_prefect:
            return judge(reporter)
        with prefect_api():
            from flows.evaluating.flow import as_flow  # takes seconds: Prefect

            return as_flow(
                task,
                request.evaluation_id,
                lambda: judge(reporter),
                reporter,
            )


def _with_gold(task: str, request: Request) -> Callable[[Reporter], Evaluation]:
    """Read what a task judges by, so that only the judging is left to do."""
    if task == ABBREVIATIONS:
        definitions = abbreviations.read_corpora(request.gold, request.limit)
        return partial(abbreviations.evaluate_abbreviations, request, definitions)
    if task == ASSERTION:
        judged = assertion.read_corpora(request.gold, request.limit)
        return partial(assertion.evaluate_assertion, request, judged)
    if task == QUESTIONS and request.asked:
        files = questions.read_corpora(request.gold, request.asked, request.limit)
        return partial(questions.evaluate_questions, request, files)
    rules, _ = request.label_rules, request.found_rules  # both are read before anything else
    corpora = read_corpora(request.gold, rules, request.limit)
    check_rules_are_used(rules, {corpus.name: corpus.own_labels for corpus in corpora})
    return partial(TASKS[task], request, corpora)


def check_outputs(
    warehouse: Path | None, predictions: Path | None, access: Access | None = None
) -> None:
    """Fail at the door where the results could not be kept.

    Raises:
        CharthouseError: a folder is missing, or the warehouse is in use or no warehouse.
    """
    for path, what in ((warehouse, "warehouse"), (predictions, "predictions")):
        if path is not None and not path.absolute().parent.is_dir():
            raise CharthouseError(
                f"{what} {path}: its folder does not exist", f"Create {path.parent} first"
            )
        if path is not None and path.is_dir():
            raise CharthouseError(f"{what} {path} is a folder", "Name a file")
    if warehouse is not None and warehouse.exists():
        with open_warehouse(warehouse, access or Access()):
            pass
