"""How a model chooses between options: a score each, the highest wins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nlp.ner.errors import ModelError
from nlp.ner.source import ADAPTER_FILE, ModelSource, read_config
from nlp.qa.question import Question

if TYPE_CHECKING:
    from nlp.ner.device import Device

LIKELIHOOD, HEAD = "likelihood", "head"
"""Ways to score: log-probability of an option's words in a causal language model; a trained head's
linear score of question and option, softmax over the options."""

_HEADS = ("ForSequenceClassification", "ForMultipleChoice")

Progress = Callable[[int], None]
"""Told how many questions are done."""


@dataclass(frozen=True)
class OptionScores:
    """Scores of one question's options, in their order.

    Attributes:
        log_probabilities: nats. Of a head they are normalised over the options; of likelihoods
            they are those of the continuations.
        lengths: characters and UTF-8 bytes of each continuation, without the space before it;
            empty for a head.
        cut_tokens: tokens of the context left out because they did not fit; of likelihoods to
            within the special tokens that the model puts before a text.
        cut_question: whether tokens of the question itself were left out, since it did not fit
            even without its context.
    """

    log_probabilities: tuple[float, ...]
    lengths: tuple[tuple[int, int], ...] = ()
    cut_tokens: int = 0
    cut_question: bool = False

    @property
    def chosen(self) -> int:
        """Index of the option with the highest score; the first of equals."""
        return _first_best(self.log_probabilities)

    @property
    def chosen_per_character(self) -> int:
        """As ``chosen``, by log-probability per character: lm-evaluation-harness's acc_norm."""
        return _first_best(
            [score / c for score, (c, _) in zip(self.log_probabilities, self.lengths, strict=True)]
        )

    @property
    def chosen_per_byte(self) -> int:
        """As ``chosen``, by log-probability per byte: lm-evaluation-harness's acc_bytes."""
        return _first_best(
            [score / b for score, (_, b) in zip(self.log_probabilities, self.lengths, strict=True)]
        )


def _first_best(scores: Sequence[float]) -> int:
    return max(range(len(scores)), key=lambda index: scores[index])


class OptionScorer(Protocol):
    """A model that scores options."""

    @property
    def name(self) -> str:
        """Its public name."""

    @property
    def method(self) -> str:
        """:data:`LIKELIHOOD` or :data:`HEAD`."""

    def scores(
        self, questions: Sequence[Question], progress: Progress | None = None
    ) -> list[OptionScores]:
        """Score the options of each question, in input order.

        Raises:
            QuestionError: the options do not fit into the model's context.
            DeviceError: the forward pass failed.
        """


def find_scorer(name: str) -> tuple[ModelSource, str]:
    """Find a model and how it scores options, without loading weights.

    Args:
        name: a folder or ``hub:owner/name@revision``: a causal language model, its LoRA adapter,
            or a model with a head: ``*ForMultipleChoice``, or ``*ForSequenceClassification`` with
            one label.

    Raises:
        ModelError: it cannot be found, is neither, or stands behind an endpoint.
    """
    if name.startswith("endpoint:"):
        raise ModelError(
            f"model {name}: an endpoint tells no likelihoods of given options; use a local folder "
            "or hub:owner/name@revision"
        )
    from nlp.generation.source import check_causal, find_text_model

    source = find_text_model(name)
    if (source.folder / ADAPTER_FILE).is_file():
        check_causal(source)
        return source, LIKELIHOOD
    config = read_config(source)
    architectures = [str(each) for each in config.get("architectures") or []]
    if not any(each.endswith(_HEADS) for each in architectures):
        check_causal(source)
        return source, LIKELIHOOD
    if architectures[0].endswith("ForSequenceClassification"):
        labels = len(config.get("id2label") or {}) or 2
        if labels != 1:
            raise ModelError(
                f"model {source.name}: a classifier of {labels} labels; options are scored by one "
                "with a single label, as `charthouse train qa` makes it"
            )
    return source, HEAD


def load_scorer(name: str, device: Device, *, style: str | None = None) -> OptionScorer:
    """Load a model and score options the way its folder says.

    Args:
        name: see :func:`find_scorer`.
        device: where it runs and in which number format.
        style: how a causal model is asked, a name of ``styles.toml``; by default by the options.

    Raises:
        ModelError: the model cannot be used.
        QuestionError: no such style.
    """
    source, method = find_scorer(name)
    if method == HEAD:
        from nlp.qa.head import load_head

        return load_head(source, device)
    from nlp.generation.model import load_text_model
    from nlp.qa.likelihood import LikelihoodScorer

    return LikelihoodScorer(load_text_model(source, device), style=style)


def scorer_fingerprint(source: ModelSource, method: str) -> str:
    """SHA-256 over the files that decide the scores.

    Raises:
        ModelError: the base model of an adapter cannot be found.
    """
    if method == HEAD:
        from nlp.qa.layout import head_fingerprint

        return head_fingerprint(source)
    from nlp.generation.source import text_model_fingerprint

    return text_model_fingerprint(source)
