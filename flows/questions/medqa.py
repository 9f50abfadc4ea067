"""MedQA (Jin et al. 2021, https://doi.org/10.3390/app11146421).

An object a line: ``question``, ``options`` by letter, ``answer`` (its text), ``answer_idx`` (its
letter), ``meta_info`` (the examination's step).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from flows.questions.fields import damaged, optional_text, text_of
from nlp.qa.question import Question

_LEAST = 2


def read_rows(path: Path, rows: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[Question]:
    """Yield the rows; ids are theirs, or their numbers.

    Raises:
        SourceError: a field is missing or damaged, or the answer is none of the options.
    """
    for number, row in rows:
        options = _options(path, number, row)
        identifier = row.get("id")
        yield Question(
            str(number if identifier is None else identifier),
            text_of(path, number, row, "question"),
            tuple(options.values()),
            _answer(path, number, row, options),
            subject=optional_text(path, number, row, "meta_info"),
        )


def _options(path: Path, number: int, row: dict[str, Any]) -> dict[str, str]:
    """Options by letter, in the file's order; some copies have them as a list of pairs."""
    given = row.get("options")
    if isinstance(given, list) and all(isinstance(pair, dict) for pair in given):
        keys = [pair.get("key") for pair in given]
        if len(set(map(str, keys))) < len(keys):
            raise damaged(path, number, "options", "a key stands twice")
        given = dict(zip(keys, (pair.get("value") for pair in given), strict=True))
    if not isinstance(given, dict) or len(given) < _LEAST:
        raise damaged(path, number, "options", "is neither options by letter nor a list of them")
    if any(not isinstance(key, str) for key in given):
        raise damaged(path, number, "options", "a key is missing")
    if any(not isinstance(value, str) or not value.strip() for value in given.values()):
        raise damaged(path, number, "options", "an option is empty or no text")
    return given


def _answer(path: Path, number: int, row: dict[str, Any], options: dict[str, str]) -> int | None:
    letter = optional_text(path, number, row, "answer_idx").strip()
    if letter:
        if letter not in options:
            raise damaged(path, number, "answer_idx", "is the letter of no option")
        return list(options).index(letter)
    answer = optional_text(path, number, row, "answer")
    if not answer:
        return None
    texts = list(options.values())
    if answer not in texts:
        raise damaged(path, number, "answer", "is none of the options")
    return texts.index(answer)
