"""``charthouse generate summarize``: a summary of each document."""

from __future__ import annotations

from flows.generating.chosen import Chosen, choose_summaries
from flows.generating.document_task import DocumentTask
from flows.generating.task import GenerationRequest


class Summarize(DocumentTask):
    """Summaries, by a template for each kind of document unless one is named."""

    name = "summarize"

    def choose(self, request: GenerationRequest) -> Chosen:
        """The named template, or those in the box that go with the model."""
        return choose_summaries(request.settings)
