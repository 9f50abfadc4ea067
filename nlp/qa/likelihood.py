"""Options scored by how likely a causal language model finds them after the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nlp.generation.completion import TextModel
from nlp.qa.errors import QuestionError
from nlp.qa.question import Question
from nlp.qa.scorer import LIKELIHOOD, OptionScores, Progress
from nlp.qa.styles import BETWEEN, DELIMITER, Style, find_style, style_of

_QUESTIONS = 64
"""Questions asked between two words of progress."""


@dataclass(frozen=True)
class LikelihoodScorer:
    """A causal language model; an :class:`~nlp.qa.scorer.OptionScorer`.

    Prompts, tokens and scores are those of EleutherAI's lm-evaluation-harness. A prompt that does
    not fit loses its beginning: description and examples first, then the context.

    Attributes:
        model: tells log-likelihoods.
        style: how it is asked, a name of ``styles.toml``; None = by the question.
        shots: questions with answers that are shown first, in this order.
    """

    model: TextModel
    style: str | None = None
    shots: Sequence[Question] = ()
    method: str = field(default=LIKELIHOOD, init=False)

    @property
    def name(self) -> str:
        """The model's public name."""
        return self.model.name

    def scores(
        self, questions: Sequence[Question], progress: Progress | None = None
    ) -> list[OptionScores]:
        """Score the options of each question, in input order.

        Raises:
            QuestionError: no such style, or too many options for letters.
            GenerationError: an option is longer than the model's context.
            DeviceError: the forward pass failed.
        """
        scored: list[OptionScores] = []
        for first in range(0, len(questions), _QUESTIONS):
            scored += self._score(questions[first : first + _QUESTIONS])
            if progress:
                progress(len(scored))
        return scored

    def prompt(self, question: Question) -> str:
        """All that stands before an option and the space before it."""
        style = self._style(question)
        shown = "".join(
            f"{style.ask(shot)}{DELIMITER}{_answer(style, shot)}{BETWEEN}" for shot in self.shots
        )
        return f"{style.describe(question)}{shown}{style.ask(question)}"

    def _score(self, questions: Sequence[Question]) -> list[OptionScores]:
        prompts = [self.prompt(question) for question in questions]
        choices = [self._style(question).choices(question) for question in questions]
        pairs = [
            (prompt, f"{DELIMITER}{choice}")
            for prompt, its in zip(prompts, choices, strict=True)
            for choice in its
        ]
        found = iter(self.model.log_likelihoods(pairs))
        lengths = self.model.count_tokens(prompts)
        scored = []
        for question, its, length in zip(questions, choices, lengths, strict=True):
            likelihoods = [next(found) for _ in its]
            longest = max(likelihood.tokens for likelihood in likelihoods)
            cut = max(0, length + longest - self.model.context - 1)
            scored.append(
                OptionScores(
                    tuple(likelihood.log_probability for likelihood in likelihoods),
                    tuple((len(choice), len(choice.encode())) for choice in its),
                    cut,
                    bool(cut) and self._cuts_question(question, length - cut),
                )
            )
        return scored

    def _cuts_question(self, question: Question, kept: int) -> bool:
        """Whether so many last tokens of the prompt hold less than question and options."""
        style = self._style(question)
        asked = style.ask(question)
        if question.context and "{context}" in style.prompt:
            asked = asked[asked.index(question.context) + len(question.context) :]
        return self.model.count_tokens([asked])[0] > kept

    def _style(self, question: Question) -> Style:
        return find_style(self.style) if self.style else style_of(question)


def _answer(style: Style, shot: Question) -> str:
    if shot.answer is None:
        raise QuestionError("an example that is shown first has no answer")
    return style.choices(shot)[shot.answer]
