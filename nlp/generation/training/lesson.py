"""What a language model is to learn from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lesson:
    """A text, or a prompt and its completion.

    Attributes:
        text: the text or the completion, which is learnt and ended by the end token.
        prompt: what stands before it and is not learnt; None where the text stands alone.
    """

    text: str
    prompt: str | None = None
