"""What a training of a head for questions would do, counted without training."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape

from flows.errors import CharthouseError
from flows.training.output import check_state
from flows.training.qa import QaOrder


@dataclass(frozen=True)
class QaPreview:
    """Counts of questions with an answer, and steps, should no patience end the training.

    Attributes:
        order: what was asked for.
        examples: of one epoch; more than questions where explanations are learnt from too.
        dev: questions that each epoch is judged by.
        majority: those of dev whose answer stands where most right answers of dev stand.
        cut: examples that lose a part of their context or question.
        state: ``new``, ``goes on`` (a checkpoint waits) or ``done`` (the model is there).
    """

    order: QaOrder
    examples: int
    dev: int
    majority: int
    cut: int
    state: str

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps."""
        recipe = self.order.recipe
        return math.ceil(math.ceil(self.examples / recipe.batch_questions) / recipe.accumulation)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        order = self.order
        return {
            "out": str(order.out),
            "state": self.state,
            "base": order.base.name,
            "train_questions": len(order.train),
            "examples": self.examples,
            "dev_questions": self.dev,
            "dev_majority": self.majority,
            "cut": self.cut,
            "steps_per_epoch": self.steps_per_epoch,
            "steps": self.steps_per_epoch * order.recipe.epochs,
        }


def preview_qa(order: QaOrder, *, overwrite: bool) -> QaPreview:
    """Count what a training would go through; writes nothing.

    Raises:
        CharthouseError: the output folder is not free, nothing is left to learn from or to judge
            by, or the base's tokenizer cannot be used.
    """
    from nlp.ner.errors import ModelError
    from nlp.qa.encoding import OptionEncoder
    from nlp.qa.errors import QuestionError
    from nlp.qa.head import load_tokenizer
    from nlp.qa.training.loop import layout_for, prepare

    state = check_state(order, overwrite=overwrite)
    learnt = prepare(order.train, order.recipe, train=True)
    judged = prepare(order.dev, order.recipe, train=False)
    if not learnt or not judged:
        raise CharthouseError("no question with an answer is left to learn from or to judge by")
    try:
        tokenizer = load_tokenizer(order.base)
        encoder = OptionEncoder(tokenizer, layout_for(order.base, order.recipe))
        encoded = [encoder.encode(question) for question in learnt]
    except (ModelError, QuestionError) as error:
        raise CharthouseError(str(error)) from None
    cut = sum(bool(found.cut_tokens or found.cut_question) for found in encoded)
    majority = Counter(question.answer for question in judged).most_common(1)[0][1]
    return QaPreview(order, len(learnt), len(judged), majority, cut, state)


def print_preview(console: Console, preview: QaPreview) -> None:
    """The counts in sentences."""
    found = preview.as_dict()
    console.print(
        f"{found['train_questions']:,} questions to learn from, {found['examples']:,} examples an "
        f"epoch; {found['cut']:,} of them are cut. Base: {escape(found['base'])}."
    )
    console.print(
        f"{found['dev_questions']:,} questions to judge by; always choosing the most frequent "
        f"answer would be right {found['dev_majority']:,} times."
    )
    console.print(f"{found['steps_per_epoch']:,} steps an epoch, {found['steps']:,} in all.")
