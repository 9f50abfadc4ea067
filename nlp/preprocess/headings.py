"""Spans of words that have the shape of a heading: where they stand, and what follows them.

Whether one is a heading depends on its words and on the sections open there, which
:mod:`nlp.preprocess.sections` knows. Time is proportional to the length of the text: every colon is
looked at with a limited number of characters before it, every line with few characters once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from nlp.preprocess.heading_rule import normal_form

LONGEST = 110
"""Characters of a heading."""

MOST_WORDS = 14

_LEAD = 24
"""Characters of bullets, numbers and marks that may stand before a heading on its line."""

_WORD = re.compile(r"[A-Za-z0-9][\w'’&/-]*")
_LEADING = re.compile(
    r"(?:[^\S\n]|[*_#=>\[]|</?\w{1,6}>|(?P<bullet>[•·▪◦‣●–—+~|-])"
    r"|(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?|\(?(?:\d{1,2}|[ivxIVX]{1,4}|[A-Za-z])[.)])(?=[^\S\n]))*"
)
_MARKS = re.compile(r"(?:\*{1,3}|__(?!_)|</\w{1,6}>)*")
_BEFORE_COLON = re.compile(r"(?:[^\S\n]|[*_\]]|</\w{1,6}>)*$")
_PARENTHESIS = re.compile(r"[^\S\n]*\([^()\n]{0,40}\)$")
_COLON = re.compile(r"(?<=[\w)\]>*_]):(?![:/\\])|(?<=[\w)])[^\S\n]{1,2}:")
_LINE = re.compile(rf"^[^:\n]{{2,{LONGEST + _LEAD}}}$", re.MULTILINE)
_AFTER_WORDS = re.compile(r"(?:\s|[*_#=\].]|</\w{1,6}>)*$")
_GLUED = re.compile(r"(?:^|(?<=\n)|(?<=[.;:)?!\"]),)[^\S\n]*([A-Z][A-Z &/-]{2,60}),(?=\S)")
_DASHED = re.compile(
    r"(?:^|(?<=\n)|(?<=[.;:)?!\"]),)(?:[^\S\n]|[*_#>])*"
    r"([A-Z][\w &/,'’-]{1,50}?)[^\S\n]+[-–—]{1,2}[^\S\n]"
)
_BLANKS = frozenset(" \t\u00a0\u2009\u202f*_")
_STOPS = frozenset('.:;,?!)"”')
_NEVER_WITHIN = '\n.;:?!"'
"""Signs that no heading before a colon has."""
_JOINING = frozenset({"a", "an", "and", "at", "by", "for", "from", "her", "his", "in", "of", "on"})
_JOINING |= {"or", "that", "the", "their", "to", "with"}
"""Words after which no heading begins: Auscultation of Heart."""


class Place(Enum):
    """Where words stand."""

    LINE = "at the beginning of a line, after a number or marks"
    BULLET = "at the beginning of a line, after a bullet"
    GLUED = "after a comma that stands for a line's end"
    SENTENCE = "after the end of a sentence or part of one"
    COMMA = "after a comma"
    INLINE = "after other words"


class Ending(Enum):
    """What shows that words are a heading."""

    COLON = "a colon"
    ALONE = "nothing else on the line, or between two commas that stand for line ends"
    DASH = "a dash"


class Words(NamedTuple):
    """Words that may be a heading, in characters of the text, and their normal form."""

    start: int
    end: int
    form: str
    place: Place
    is_capitals: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """Readings of one place that has the shape of a heading, the longest first.

    Attributes:
        readings: the same end, different beginnings.
        after: where the text of the section begins, colon and marks passed.
        ending: what shows that this is a heading.
    """

    readings: tuple[Words, ...]
    after: int
    ending: Ending


def find_shapes(text: str, last_words: frozenset[str]) -> list[Shape]:
    """What has the shape of a heading, in the order of the end.

    Args:
        text: the document's text.
        last_words: the last words of known headings, in normal form; others count in capitals.
    """
    found = [
        *_before_colons(text, last_words),
        *_alone(text, last_words),
        *_glued(text),
        *_dashed(text),
    ]
    return sorted(found, key=lambda shape: (shape.after, shape.readings[0].start))


def _before_colons(text: str, last_words: frozenset[str]) -> Iterator[Shape]:
    for colon in _COLON.finditer(text):
        low = max(0, colon.start() - LONGEST)
        low = max(low, *(text.rfind(stop, low, colon.start()) + 1 for stop in _NEVER_WITHIN))
        window = text[low : colon.start()]
        window = window[: _BEFORE_COLON.search(window).start()]  # type: ignore[union-attr]
        end = low + len(window)
        if bare := _PARENTHESIS.search(window):
            window = window[: bare.start()]
        if readings := tuple(_readings(text, low, window, end, last_words)):
            after = _MARKS.match(text, colon.end()).end()  # type: ignore[union-attr]
            yield Shape(readings, after, Ending.COLON)


def _readings(
    text: str, low: int, window: str, end: int, last_words: frozenset[str]
) -> Iterator[Words]:
    """Endings of a window that begin with a capital letter, the longest first."""
    words = list(_WORD.finditer(window))[-MOST_WORDS:]
    if not words or words[-1].end() != len(window):
        return
    last = normal_form(words[-1][0]).rpartition("/")[2].rpartition(" ")[2]
    if last not in last_words and not words[-1][0].isupper():
        return
    before = ""
    for word in words:
        joined, before = before in _JOINING, word[0]
        if joined or not word[0][0].isupper():
            continue
        start = low + word.start()
        said = window[word.start() :]
        if form := normal_form(said):
            yield Words(start, end, form, _place(text, start), said.isupper())


def _alone(text: str, last_words: frozenset[str]) -> Iterator[Shape]:
    for line in _LINE.finditer(text):
        start = _LEADING.match(text, line.start(), line.end()).end()  # type: ignore[union-attr]
        said = text[start : line.end()]
        said = said[: _AFTER_WORDS.search(said).start()]  # type: ignore[union-attr]
        if not said or len(said) > LONGEST or not said[0].isupper():
            continue
        form = normal_form(_PARENTHESIS.sub("", said))
        if form and re.split(r"[ /]", form)[-1] in last_words:
            words = Words(start, start + len(said), form, _place(text, start), said.isupper())
            stop = line.end()
            while stop > words.end and text[stop - 1].isspace():
                stop -= 1
            yield Shape((words,), stop, Ending.ALONE)


def _glued(text: str) -> Iterator[Shape]:
    """``.,PHYSICAL EXAMINATION,GENERAL:``: the first has no colon."""
    for match in _GLUED.finditer(text):
        yield from _one(text, match, Ending.ALONE)


def _dashed(text: str) -> Iterator[Shape]:
    for match in _DASHED.finditer(text):
        yield from _one(text, match, Ending.DASH)


def _one(text: str, match: re.Match[str], ending: Ending) -> Iterator[Shape]:
    start, end = match.span(1)
    if form := normal_form(match[1]):
        words = Words(start, end, form, _place(text, start), match[1].isupper())
        yield Shape((words,), end if ending is Ending.ALONE else match.end(), ending)


def _place(text: str, start: int) -> Place:
    low = max(0, start - _LEAD)
    line = text.rfind("\n", low, start) + 1
    if line or low == 0:
        lead = _LEADING.fullmatch(text, max(line, low), start)
        if lead:
            return Place.BULLET if lead["bullet"] else Place.LINE
    position = start
    while position and text[position - 1] in _BLANKS:
        position -= 1
    before = text[position - 1]
    if before == ",":
        position -= 1
        while position and text[position - 1] in _BLANKS:
            position -= 1
        return Place.GLUED if text[position - 1 : position] in _STOPS else Place.COMMA
    return Place.SENTENCE if before in _STOPS else Place.INLINE
