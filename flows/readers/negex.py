"""Concepts in sentences and what is said of them, in the form of the NegEx test kit.

A tab-separated table, one concept a row: a number, the concept, its sentence, negation (Affirmed,
Negated), and perhaps temporality (Recent, Historical, Not particular) and experiencer (Patient,
Family member, Other). The form is that of the kit with ConText's columns (Harkema et al. 2009,
doi:10.1016/j.jbi.2009.05.002); fields are not quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.errors import SourceError
from flows.readers.compression import numbered_lines

_NUMBER, _CONCEPT, _SENTENCE = "number", "concept", "sentence"
_NEGATION, _TEMPORALITY, _EXPERIENCER = "negation", "temporality", "experiencer"
_ORDER = (_CONCEPT, _SENTENCE, _NEGATION, _TEMPORALITY, _EXPERIENCER)
"""The columns of a file without a header, after the number where there is one."""

_HEADER = {
    **dict.fromkeys(("line", "number", "no", "no.", "id", "#", "report no.", "report no"), _NUMBER),
    **{name: name for name in _ORDER},
    "status": _NEGATION,
}

_VALUES: dict[str, dict[str, str]] = {
    _NEGATION: {"affirmed": "affirmed", "negated": "negated", "possible": "affirmed"},
    _TEMPORALITY: {
        "recent": "recent",
        "historical": "historical",
        "not particular": "hypothetical",
        "hypothetical": "hypothetical",
    },
    _EXPERIENCER: {
        "patient": "patient",
        "other": "other",
        "family": "family",
        "family member": "family",
    },
}


@dataclass(frozen=True, slots=True)
class JudgedConcept:
    """A concept in its sentence.

    Attributes:
        line: the number in the row, where the file has such a column; else the line of the file,
            counted from 1.
        sentence: as it stands.
        start_char, end_char: the concept in the sentence: where it stands in capitals, else where
            it stands first, however its white space; the whole sentence where it does not occur.
        negated: is it denied?
        temporality: ``recent``, ``historical`` or ``hypothetical``; None where there is no column.
        experiencer: ``patient``, ``family`` or ``other``; None where there is no column.
    """

    line: int
    sentence: str
    start_char: int
    end_char: int
    negated: bool
    temporality: str | None
    experiencer: str | None


def read_judged(path: Path) -> Iterator[JudgedConcept]:
    """Yield the rows of a file.

    Raises:
        SourceError: the file cannot be read, or a row is not of this form (file and line named).
    """
    columns: Mapping[str, int] | None = None
    for number, row in numbered_lines(path):
        fields = row.split("\t")
        if not row.strip():
            continue
        if columns is None:
            columns, is_header = _columns(path, number, fields)
            if is_header:
                continue
        yield _judged(path, number, fields, columns)


def _columns(path: Path, number: int, fields: Sequence[str]) -> tuple[Mapping[str, int], bool]:
    """Where the columns are, and whether this first row is the header that says so."""
    names = [_HEADER.get(field.strip().lower()) for field in fields]
    columns = {name: index for index, name in enumerate(names) if name is not None}
    if {_CONCEPT, _SENTENCE, _NEGATION} <= set(columns):
        return columns, True
    numbered = fields[0].strip().isdigit()
    order = (_NUMBER, *_ORDER) if numbered else _ORDER
    columns = {name: index for index, name in enumerate(order[: len(fields)])}
    if _NEGATION not in columns or _known(_NEGATION, fields, columns) is None:
        raise SourceError(
            f"{path}, line {number}: neither a header nor a row of concepts",
            "Known is the form of the NegEx test kit: number, concept, sentence, negation, "
            "temporality, experiencer, tab-separated",
        )
    return columns, False


def _judged(
    path: Path, number: int, fields: Sequence[str], columns: Mapping[str, int]
) -> JudgedConcept:
    needed = max(columns.values()) + 1
    if len(fields) < needed:
        raise SourceError(f"{path}, line {number}: {len(fields)} columns, {needed} are needed")
    values = {}
    for column, known in _VALUES.items():
        if column in columns:
            value = _known(column, fields, columns)
            if value is None:
                raise SourceError(f"{path}, line {number}: {column} is none of {', '.join(known)}")
            values[column] = value
    line = number
    if _NUMBER in columns:
        given = fields[columns[_NUMBER]].strip()
        if not re.fullmatch(r"[0-9]{1,15}", given):
            raise SourceError(f"{path}, line {number}: does not begin with its number")
        line = int(given)
    sentence = fields[columns[_SENTENCE]]
    if not sentence.strip():
        raise SourceError(f"{path}, line {number}: the sentence is empty")
    return JudgedConcept(
        line,
        sentence,
        *find_concept(fields[columns[_CONCEPT]], sentence),
        values[_NEGATION] == "negated",
        values.get(_TEMPORALITY),
        values.get(_EXPERIENCER),
    )


def _known(column: str, fields: Sequence[str], columns: Mapping[str, int]) -> str | None:
    return _VALUES[column].get(" ".join(fields[columns[column]].lower().split()))


def find_concept(concept: str, sentence: str) -> tuple[int, int]:
    """Where a concept stands in its sentence; see :class:`JudgedConcept`."""
    for words, flags in ((concept.upper(), re.NOFLAG), (concept, re.IGNORECASE)):
        pattern = r"\s+".join(map(re.escape, words.split()))
        if pattern and (match := re.search(pattern, sentence, flags)):
            return match.span()
    return 0, len(sentence)
