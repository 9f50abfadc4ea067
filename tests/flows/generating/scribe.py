"""A model without a network: it writes two words about each prompt, or fails on some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nlp.generation.completion import STOP, Completion, Likelihood, Progress, Prompt, Sampling
from nlp.generation.errors import GenerationError


@dataclass
class Scribe:
    """A :class:`~nlp.generation.completion.TextModel` whose tokens are words."""

    context: int = 4_000
    name: str = "scribe"
    breaks_on: str | None = None
    raises: Exception | None = None
    prompts: list[Prompt] = field(default_factory=list)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words of each text."""
        return [len(text.split()) for text in texts]

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, progress: Progress | None = None
    ) -> list[Completion]:
        """Write the number of words."""
        if self.raises:
            raise self.raises
        if self.breaks_on and any(self.breaks_on in prompt.text for prompt in prompts):
            raise KeyError("quotes what it was given")
        self.prompts += prompts
        sizes = self.count_tokens([prompt.text for prompt in prompts])
        return [Completion(f"{size} words", STOP, size, 2, 0, -0.5) for size in sizes]

    def log_likelihoods(
        self, pairs: Sequence[tuple[str, str]], progress: Progress | None = None
    ) -> list[Likelihood]:
        """It cannot tell."""
        raise GenerationError("it cannot tell")
