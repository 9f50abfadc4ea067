"""What is asked of a language model, and what it answers: plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

STOP, LENGTH = "stop", "length"
"""Finish reasons: the model ended (end token or stop string); the bound on new tokens was met."""

Progress = Callable[[int], None]
"""Told how many prompts are done."""


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt. ``system`` is used where the model takes chats, else put before it.

    ``key`` makes the random draws of a sampled completion its own, whatever batch it is in.
    """

    text: str
    system: str = ""
    key: str = ""


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen; greedy where ``temperature`` is 0, which is the default.

    Attributes:
        max_new_tokens: bound on the completion.
        temperature: 0 takes the likeliest token; above, tokens are drawn.
        top_p: only the likeliest tokens that together have this probability are drawn from.
        top_k: only so many of the likeliest; 0 = all.
        repetition_penalty: above 1, tokens that stand there already become less likely
            (Keskar et al. 2019, CTRL).
        seed: of the draws, together with a prompt's key.
        stop: the completion ends before any of these strings.
        max_input_tokens: longer prompts lose their middle part; 0 = what the context leaves.
    """

    max_new_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    max_input_tokens: int = 0


@dataclass(frozen=True)
class Completion:
    """What came of a prompt.

    Attributes:
        text: without prompt, special tokens and stop string.
        finish_reason: :data:`STOP` or :data:`LENGTH`.
        prompt_tokens: tokens the model was given.
        completion_tokens: tokens it made, the end token included.
        truncated_tokens: tokens of the prompt that were left out because they did not fit.
        score: mean log-probability of the made tokens, nats; None where nobody tells.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    truncated_tokens: int = 0
    score: float | None = None


@dataclass(frozen=True)
class Likelihood:
    """Log-probability of a continuation after its context, in nats, summed over ``tokens``.

    ``is_greedy`` tells whether each of its tokens is the likeliest one.
    """

    log_probability: float
    tokens: int
    is_greedy: bool


class TextModel(Protocol):
    """A language model, here or behind an endpoint."""

    @property
    def name(self) -> str:
        """Its public name."""

    @property
    def context(self) -> int:
        """Tokens that prompt and completion may have together."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special ones left out; an estimate where nobody can count."""

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, progress: Progress | None = None
    ) -> list[Completion]:
        """Complete each prompt, in input order."""

    def log_likelihoods(
        self, pairs: Sequence[tuple[str, str]], progress: Progress | None = None
    ) -> list[Likelihood]:
        """Likelihood of each continuation after its context, in input order.

        Raises:
            GenerationError: the model cannot tell, as an endpoint.
        """
