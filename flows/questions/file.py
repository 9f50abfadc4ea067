"""A file of questions: its form is told by its content, its rows become questions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import SourceError
from flows.questions import medmcqa, medqa, mmlu, pubmedqa
from flows.readers.compression import open_binary
from nlp.qa.question import Question

MMLU, MEDMCQA, MEDQA, PUBMEDQA = "mmlu", "medmcqa", "medqa", "pubmedqa"
"""Forms of files."""

_JSON = re.compile(r"\s*(\{|\[\s*[{\]])")
"""How a file of objects begins; a question in a CSV may begin with a bracket."""


@dataclass(frozen=True)
class QuestionFile:
    """The questions of a file in its order, and its form, such as ``mmlu``."""

    form: str
    questions: tuple[Question, ...]


def read_questions(path: Path, *, first_option: int | None = None) -> QuestionFile:
    """Read a file of MMLU, MedMCQA, MedQA or PubMedQA, plain, gzipped or zstandard-compressed.

    Args:
        path: the file.
        first_option: number of the first option in a MedMCQA file, 0 or 1; by default told by
            the numbers that stand there.

    Raises:
        SourceError: the file cannot be read or is of no known form, or a row is damaged (file,
            row and field named).
    """
    with open_binary(path) as stream:
        try:
            text = stream.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise SourceError(f"{path} is not valid UTF-8", "Convert it to UTF-8") from None
    if not text.strip():
        raise SourceError(f"{path} is empty", "Fetch it again")
    form, questions = _read(path, text, first_option)
    questions = list(questions)
    if not questions:
        raise SourceError(f"{path}: no question is in it", "Fetch it again")
    seen: set[str] = set()
    for number, question in enumerate(questions, start=1):
        if question.question_id in seen:
            raise SourceError(
                f"{path}, row {number}, field id: stands in an earlier row too",
                "Give each question an id of its own",
            )
        seen.add(question.question_id)
    return QuestionFile(form, tuple(questions))


def _read(path: Path, text: str, first_option: int | None) -> tuple[str, Iterable[Question]]:
    if not _JSON.match(text):
        return MMLU, mmlu.read_rows(path, text)
    first = _first_row(text)
    if "opa" in first:
        return MEDMCQA, medmcqa.read_rows(path, _rows(path, text), first_option)
    if "options" in first:
        return MEDQA, medqa.read_rows(path, _rows(path, text))
    whole = _whole(path, text)
    if isinstance(whole, dict) and any(
        isinstance(value, dict) and "QUESTION" in value for value in whole.values()
    ):
        return PUBMEDQA, pubmedqa.read_entries(path, whole)
    raise SourceError(
        f"{path}: JSON of no known form",
        "Known are MedMCQA and MedQA (an object a line) and PubMedQA (an object by PMID); see "
        "docs/questions.md",
    )


def _first_row(text: str) -> dict[str, Any]:
    """The first object of JSON Lines or of a list; empty where there is none."""
    start = text.lstrip()
    if start.startswith("["):
        start = start[1:].lstrip()
    try:
        value, _ = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Objects of JSON Lines, or of a list, with their number from 1: the line, or the place."""
    if text.lstrip().startswith("["):
        values: Iterable[tuple[int, Any]] = enumerate(_whole(path, text), start=1)
    else:
        values = _lines(path, text)
    for number, value in values:
        if not isinstance(value, dict):
            raise SourceError(f"{path}, row {number}: is no object", "Mend the row")
        yield number, value


def _lines(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):  # JSON may hold other line ends
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                raise SourceError(
                    f"{path}, row {number}: is not well-formed JSON", "Mend the row"
                ) from None


def _whole(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise SourceError(
            f"{path} is not well-formed JSON near line {line}", "Fetch it again or mend it there"
        ) from None
