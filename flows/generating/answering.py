"""``charthouse generate answer``: answers from passages of the warehouse, with their sources."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from flows.errors import UsageError
from flows.generating.answer_items import answer_items
from flows.generating.answer_worker import PASSAGES, QUESTION, AnswerWorker
from flows.generating.chosen import named_template
from flows.generating.identity import described_sampling, identify_set, sampling_of
from flows.generating.models import identify_model, is_endpoint, open_text_model, takes_chat
from flows.generating.task import GenerationRequest, GenerationSet
from flows.retrieval import RETRIEVAL_VERSION
from flows.retrieval.search import SCOPES, WAREHOUSE
from flows.warehouse.connection import Connection
from nlp.generation.rendering import Template


class Answer:
    """Answers to questions, each from the passages that were found for it."""

    name = "answer"

    def identify(self, request: GenerationRequest) -> GenerationSet:
        """Check model, prompt and questions, and fingerprint all that decides the answers.

        Raises:
            CharthouseError: one of them cannot be used.
        """
        template = _template(request)
        _check_questions(request, template)
        parameters = described_sampling(request.settings.generation)
        if _takes_passages(template):
            parameters["retrieval"] = {
                "version": RETRIEVAL_VERSION,
                **request.settings.retrieval.model_dump(mode="json"),
            }
        if is_endpoint(request.settings):
            endpoint = request.settings.endpoint
            parameters["endpoint"] = {"chat": endpoint.chat, "context": endpoint.context}
        if request.inputs:
            parameters["inputs"] = dict(request.inputs)
        return identify_set(self.name, identify_model(request.settings), template, parameters)

    def items(self, connection: Connection, request: GenerationRequest) -> Iterator[pl.DataFrame]:
        """Each question of each document, person or of the warehouse, with its passages."""
        takes = _takes_passages(_template(request))
        return answer_items(connection, request, with_passages=takes)

    def load(self, request: GenerationRequest) -> AnswerWorker:
        """Load the model."""
        return AnswerWorker(
            self.identify(request),
            _template(request),
            open_text_model(request.settings),
            sampling_of(request.settings.generation),
            request.inputs,
        )


def _template(request: GenerationRequest) -> Template:
    """The named template, or the one in the box that goes with the model."""
    name = request.settings.generation.prompt
    if not name:
        name = "cited-answer" if takes_chat(request.settings) else "cited-continuation"
    return named_template(name, (Answer.name,))


def _takes_passages(template: Template) -> bool:
    return PASSAGES in {entry.name for entry in template.inputs}


def _check_questions(request: GenerationRequest, template: Template) -> None:
    """See that there are questions, and that template and scope go with them."""
    filled = {QUESTION, PASSAGES}
    known = {entry.name for entry in template.inputs}
    if QUESTION not in known:
        raise UsageError(
            f"prompt {template.name} has no input {QUESTION}", "Give it a place for the question"
        )
    if taken := sorted(filled & set(request.inputs)):
        raise UsageError(
            f"input {', '.join(taken)} is filled for each answer", "Give --question or --questions"
        )
    required = {entry.name for entry in template.inputs if entry.default is None} - filled
    if missing := sorted(required - set(request.inputs)):
        raise UsageError(
            f"prompt {template.name} needs the input {', '.join(missing)}", "Give it with --input"
        )
    if unknown := sorted(set(request.inputs) - known):
        raise UsageError(
            f"prompt {template.name} has no input {', '.join(unknown)}",
            f"Its inputs: {', '.join(sorted(known - filled)) or 'none but question and passages'}",
        )
    if request.scope not in SCOPES:
        raise UsageError(f"there is no scope {request.scope}", f"Scopes are {', '.join(SCOPES)}")
    if not _takes_passages(template) and request.scope != WAREHOUSE:
        raise UsageError(
            f"prompt {template.name} takes no passages, so no {request.scope} is read",
            "Leave --scope out, or choose another prompt",
        )
    if not request.questions:
        raise UsageError("no question is asked", "Give --question TEXT or --questions FILE")
    for question_id, text in request.questions:
        if question_id.split() != [question_id] or not text.strip():
            raise UsageError(
                "a question has no text, or an id that is none", "Ids have no white space"
            )
