"""A question with options, one of which is right."""

from __future__ import annotations

from dataclasses import dataclass

YES_NO_MAYBE = ("yes", "no", "maybe")
"""The options of yes/no/maybe questions, in PubMedQA's order."""


@dataclass(frozen=True)
class Question:
    """A multiple-choice or yes/no/maybe question.

    Attributes:
        question_id: unique in its file.
        text: the question.
        options: the choices in order; of yes/no/maybe questions these three words.
        answer: index of the right option; None where the file does not say.
        context: what it is asked about, such as an abstract without its conclusion; may be empty.
        subject: for scores by subject; may be empty.
        explanation: why the answer is right, such as an abstract's conclusion; may be empty. Never
            shown to a model that is judged.
    """

    question_id: str
    text: str
    options: tuple[str, ...]
    answer: int | None
    context: str = ""
    subject: str = ""
    explanation: str = ""
