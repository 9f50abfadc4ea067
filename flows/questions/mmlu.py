"""MMLU (Hendrycks et al. 2021, https://arxiv.org/abs/2009.03300).

CSV without a header: question, four options, the right one's letter. A file is a subject.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from flows.errors import SourceError
from flows.questions.fields import text_of
from flows.readers.compression import bare_name
from nlp.qa.question import Question

_FIELDS = ("question", "A", "B", "C", "D", "answer")
_LETTERS = "ABCD"


def read_rows(path: Path, text: str) -> Iterator[Question]:
    """Yield the rows of a file; ids are their numbers, counted from 1.

    Raises:
        SourceError: a row has not six fields, an empty one, or an answer that is no letter A to D.
    """
    subject = file_subject(path)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for row in rows:
            if not row:
                continue
            number += 1
            yield _question(path, number, row, subject)
    except csv.Error as error:
        raise SourceError(
            f"{path}, row {number + 1}: is no CSV ({error})", "Known without JSON is MMLU's form"
        ) from None


def file_subject(path: Path) -> str:
    """The subject that a file is named after: ``anatomy`` of ``anatomy_test.csv.gz``."""
    return re.sub(r"_(test|dev|val)$", "", Path(bare_name(path)).stem)


def _question(path: Path, number: int, row: list[str], subject: str) -> Question:
    if len(row) != len(_FIELDS):
        raise SourceError(
            f"{path}, row {number}: {len(row)} fields, {len(_FIELDS)} are needed",
            "MMLU's rows are question, A, B, C, D and the answer's letter, without a header",
        )
    values = dict(zip(_FIELDS, row, strict=True))
    question, *options, answer = (text_of(path, number, values, field) for field in _FIELDS)
    letter = answer.strip().upper()
    if letter not in tuple(_LETTERS):
        raise SourceError(
            f"{path}, row {number}, field answer: is none of A, B, C, D",
            "A header must be taken out" if number == 1 else "Mend the row",
        )
    return Question(str(number), question, tuple(options), _LETTERS.index(letter), subject=subject)
