"""A document to write about, and what was written: plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlp.generation.chunks import Span


@dataclass(frozen=True)
class Source:
    """A document to write about.

    Attributes:
        key: its own; random draws hang on it.
        inputs: values of the template's inputs.
        sections: spans in the template's long input.
        sentences: likewise.
    """

    key: str
    inputs: Mapping[str, str]
    sections: Sequence[Span] = ()
    sentences: Sequence[Span] = ()


@dataclass(frozen=True)
class Written:
    """What came of a document, counted over all calls of the model.

    Attributes:
        text: what the model wrote last.
        finish_reason: ``length`` where any of its texts was cut off, also one that was merged.
        prompt_tokens: that the model was given.
        completion_tokens: that it made.
        truncated_tokens: of prompts that were left out.
        calls: times it was asked.
        score: mean log-probability of the made tokens, nats; None where nobody tells.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    truncated_tokens: int
    calls: int
    score: float | None
