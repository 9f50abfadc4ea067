"""How causal models are asked: the styles of ``styles.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nlp.qa.errors import QuestionError
from nlp.qa.question import YES_NO_MAYBE, Question

STYLES_FILE = Path(__file__).with_name("styles.toml")
LETTER, TEXT = "letter", "text"
DELIMITER = " "
"""Between a prompt and the answer."""
BETWEEN = "\n\n"
"""Between one example and the next."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Style:
    """A style: see the head of ``styles.toml``."""

    name: str
    prompt: str
    answer: str
    option: str = ""
    description: str = ""
    strip_question: bool = False

    def describe(self, question: Question) -> str:
        """What stands once, before all examples."""
        return _fill(self.description, {"subject": question.subject.replace("_", " ")})

    def ask(self, question: Question) -> str:
        """The prompt, without description."""
        self._check(question)
        options = "".join(
            _fill(self.option, {"letter": _LETTERS[number], "text": option})
            for number, option in enumerate(question.options)
        )
        text = question.text.strip() if self.strip_question else question.text
        return _fill(
            self.prompt, {"context": question.context, "question": text, "options": options}
        )

    def choices(self, question: Question) -> list[str]:
        """What may follow the prompt and a space, by option."""
        self._check(question)
        if self.answer == TEXT:
            return list(question.options)
        return list(_LETTERS[: len(question.options)])

    def _check(self, question: Question) -> None:
        if len(question.options) > len(_LETTERS):
            raise QuestionError(
                f"a question of {len(question.options)} options; there are {len(_LETTERS)} letters"
            )


@cache
def read_styles() -> Mapping[str, Style]:
    """All styles by name."""
    raw = tomllib.loads(STYLES_FILE.read_text("utf-8"))
    return {name: Style(name=name, **values) for name, values in raw.items()}


def find_style(name: str) -> Style:
    """A style by its name.

    Raises:
        QuestionError: there is none of that name.
    """
    styles = read_styles()
    if name not in styles:
        raise QuestionError(f"style {name} is unknown; known are {', '.join(styles)}")
    return styles[name]


def style_of(question: Question) -> Style:
    """``pubmedqa`` for yes/no/maybe, else ``mmlu`` with a subject and ``medqa`` without."""
    if question.options == YES_NO_MAYBE:
        return find_style("pubmedqa")
    return find_style("mmlu" if question.subject else "medqa")


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Put values into their places, once: braces in values are left alone."""
    return _FIELD.sub(lambda match: values[match[1]], template)
