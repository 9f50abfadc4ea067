"""Abbreviations that a text defines, and every occurrence of their short forms.

A short form occurs where it stands as a whole token, in the same letter case. An occurrence means
what the last definition up to it says; before any, what the first one says. So a later chapter may
define a short form anew, and a title may use what the abstract defines.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from nlp.preprocess.definitions import Definition, find_definitions

FEW = 16
"""Short forms up to which searching a text for each is faster than reading it."""

_RUN = re.compile(r"[^\W_]+")
_SINGLE_GLUE = frozenset("-'’/.+")
"""Signs that join a single letter to what is another name: N-methyl, C.elegans."""
_COMPARED = re.compile(r"\s?[<>=≤≥]")
"""What follows the letter of a statistic: P < 0.05."""


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """One occurrence of a defined short form, and where its definition stands."""

    short_form: str
    long_form: str
    short_start_char: int
    short_end_char: int
    long_start_char: int
    long_end_char: int


def find_abbreviations(text: str) -> list[Abbreviation]:
    """Every occurrence of the short forms that a text defines, in text order.

    Occurrences do not overlap: of those that begin together the longest counts, else the first.
    Time is proportional to the length of the text.
    """
    if "(" not in text and "[" not in text:
        return []
    by_short: dict[str, list[Definition]] = {}
    for definition in find_definitions(text):
        short = text[definition.short_start : definition.short_end]
        by_short.setdefault(short, []).append(definition)
    if not by_short:
        return []
    found = []
    for start, end, short in _occurrences(text, by_short):
        definition = _definition_at(by_short[short], start)
        found.append(
            Abbreviation(
                text[start:end],
                text[definition.long_start : definition.long_end],
                start,
                end,
                definition.long_start,
                definition.long_end,
            )
        )
    return found


def _definition_at(definitions: Sequence[Definition], position: int) -> Definition:
    index = bisect_right(definitions, position, key=lambda d: d.short_start)
    return definitions[max(0, index - 1)]


def _occurrences(text: str, shorts: Collection[str]) -> Iterator[tuple[int, int, str]]:
    """Start, end and short form wherever one stands as a whole token, none within another."""
    tokens = _sought(text, shorts) if len(shorts) <= FEW else _read(text, shorts)
    reached = 0
    for start, end, short in sorted(tokens, key=lambda token: (token[0], -token[1])):
        if start >= reached:
            yield start, end, short
            reached = end


def _sought(text: str, shorts: Collection[str]) -> Iterator[tuple[int, int, str]]:
    """Tokens of a few short forms: the text is searched for each."""
    for short in shorts:
        start = text.find(short)
        while start >= 0:
            end = start + len(short)
            if _is_token(text, start, end):
                yield start, end, short
            start = text.find(short, start + 1)


def _read(text: str, shorts: Collection[str]) -> Iterator[tuple[int, int, str]]:
    """Tokens of many short forms: the text is read once, whatever their number."""
    by_run: dict[str, list[tuple[str, int]]] = {}
    for short in shorts:
        if run := _RUN.search(short):
            by_run.setdefault(run[0], []).append((short, run.start()))
    for run in _RUN.finditer(text):
        for short, offset in by_run.get(run[0], ()):
            start = run.start() - offset
            end = start + len(short)
            if start >= 0 and text.startswith(short, start) and _is_token(text, start, end):
                yield start, end, short


def _is_token(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    if before.isalnum() or before == "_" or after.isalnum() or after == "_":
        return False
    if end - start > 1:
        return True
    glued = before in _SINGLE_GLUE or after in _SINGLE_GLUE - {"."}
    return not glued and not _COMPARED.match(text, end)
