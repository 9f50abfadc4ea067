"""MedMCQA (Pal et al. 2022, https://proceedings.mlr.press/v174/pal22a.html).

An object a line: ``question``, ``opa`` to ``opd``, ``cop``, ``subject_name``, ``id`` and others.
``cop`` counts the right option from 1 in the authors' files, from 0 in those of the hub, where -1
stands for unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flows.errors import SourceError
from flows.questions.fields import damaged, optional_text, text_of
from nlp.qa.question import Question

_OPTIONS = ("opa", "opb", "opc", "opd")
_UNKNOWN = -1


def read_rows(
    path: Path, rows: Iterable[tuple[int, dict[str, Any]]], first_option: int | None
) -> list[Question]:
    """Read all rows, since only all of them tell what ``cop`` counts from.

    Raises:
        SourceError: a field is missing or damaged, or nothing tells what ``cop`` counts from.
    """
    taken = list(rows)
    answers = [_number(path, number, row) for number, row in taken]
    first = _first(path, {a for a in answers if a is not None}, first_option)
    return [
        _question(path, number, row, answer if answer is None else answer - first)
        for (number, row), answer in zip(taken, answers, strict=True)
    ]


def _number(path: Path, number: int, row: dict[str, Any]) -> int | None:
    value = row.get("cop")
    if value is None or value == _UNKNOWN:
        return None
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= len(_OPTIONS):
        raise damaged(path, number, "cop", "is no number from 0 to 4")
    return value


def _first(path: Path, answers: set[int], given: int | None) -> int:
    last = len(_OPTIONS)
    if 0 in answers and last in answers:
        raise SourceError(
            f"{path}, field cop: both 0 and {last} stand there, so it counts from nowhere",
            "Is the file made of two?",
        )
    told = 0 if 0 in answers else 1 if last in answers else None
    if given is not None and told is not None and given != told:
        raise SourceError(
            f"{path}, field cop: {last if told else 0} stands there, so it does not count from "
            f"{given}",
            "Leave --first-option out",
        )
    first = given if told is None else told
    if first is None and answers:
        raise SourceError(
            f"{path}, field cop: neither 0 nor {last} stands anywhere, so nothing tells whether it "
            "counts from 0 or 1",
            "Say so with --first-option",
        )
    return first or 0


def _question(path: Path, number: int, row: dict[str, Any], answer: int | None) -> Question:
    identifier = row.get("id")
    if identifier is not None and not isinstance(identifier, str | int):
        raise damaged(path, number, "id", "is neither text nor number")
    return Question(
        str(number if identifier is None else identifier),
        text_of(path, number, row, "question"),
        tuple(text_of(path, number, row, option) for option in _OPTIONS),
        answer,
        subject=optional_text(path, number, row, "subject_name"),
        explanation=optional_text(path, number, row, "exp"),
    )
