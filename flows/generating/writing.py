"""``charthouse generate text``: any prompt template over each document."""

from __future__ import annotations

from flows.errors import UsageError
from flows.generating.chosen import Chosen, for_all, named_template
from flows.generating.document_task import DocumentTask
from flows.generating.task import GenerationRequest


class WriteText(DocumentTask):
    """What a named template asks of each document."""

    name = "text"

    def choose(self, request: GenerationRequest) -> Chosen:
        """The named template.

        Raises:
            CharthouseError: none is named, or it cannot be used.
        """
        prompt = request.settings.generation.prompt
        if not prompt:
            raise UsageError(
                "no prompt is named", "Give --prompt: charthouse prompts lists those in the box"
            )
        return for_all(named_template(prompt, ("text", "summarize")))
