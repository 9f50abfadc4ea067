"""Where a text defines short forms: ``long form (SF)``, ``SF (long form)``, ``(long form, SF)``.

Brackets are round or square. Of ``(SF, 8 weeks)`` or ``[SF; note]`` the part before the separator
is tried too. What a bracket holds is a definition where it aligns with the words beside it (see
:mod:`nlp.preprocess.alignment`) at a cost that chance seldom reaches. Each bracket is judged by the
few words around it, so that the time is proportional to the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.preprocess.alignment import align
from nlp.preprocess.brackets import BRACKET, Range, brackets, closes
from nlp.preprocess.letters import weight_of

LONGEST_SHORT_FORM = 24
"""Characters of a short form."""

LIMITS = (0.0, 0.6, 2.3, 3.6, 5.0, 5.5, 7.0)
"""The highest cost taken, by the weight of the short form; the last for all above.

Near the limit about one in five would be there by chance: that is how often the short forms of one
abstract align with words before brackets of others (Ab3P's pseudo-precision; ``python
benchmarks/abbreviations.py --chance`` measures it).
"""

# Shares of the limit, where less speaks for a definition than words and a bracket after them.
_GLUED = 0.5
"""No space before the bracket: kidney injury(KI)."""
_STATISTIC = 0.1
"""A value follows: (OR = 1.8)."""
_PLAIN_WORD = 0.1
"""Four small letters and more: (host)."""
_SHORT_FIRST = 0.7
_SHORT_FIRST_WORD_BETWEEN = 0.4
"""SF cream (long form)."""
_BOTH_WITHIN = 0.5

_LOOSE = 1.0
"""Cost from which an alignment that begins within a hyphenated word means all of the word."""

_WINDOW = 60, 25, 260
"""Characters before a bracket that are looked at: at least, more for each letter, at most."""
_BESIDE = 50
"""Those in which a short form before its bracket is looked for."""

_SEPARATOR = re.compile(r"\s*[,;:=]\s|\s(?:or|and)\s|=")
_SEPARATOR_OF_LONG = re.compile(r"[;,:]\s+")
_UNLIKE_SHORT = re.compile(r"[<>=%~]|^\d\S*\s|^[a-z]{4,}\s|^[ivx]+$|^[a-z]+\s\d")
"""Comparisons, quantities, group A, and the (ii) of a list."""
_END = re.compile(r"(?<!\b\w)[.?!][\"')\]]*\s+(?=[A-Z0-9(\[\"'])|[;:]\s|\n[ \t\r]*\n")
"""Where the words before a bracket stop belonging to it."""
_SLASH = re.compile(r"[\w)\]]/")
_LOCANT = re.compile(
    r"(?:[\d,'()+\[\]-]|\b(?:[a-z]{1,2}|tri|cis|trans|alpha|beta|gamma|delta|omega)-)+",
    re.IGNORECASE,
)
"""What stands before the name of a chemical, as in 1,2-diacylglycerol, and is not abbreviated."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A short form and its long form, in characters of the text."""

    short_start: int
    short_end: int
    long_start: int
    long_end: int


def find_definitions(text: str) -> list[Definition]:
    """The definitions of a text, in the order of their short forms."""
    found = []
    for opening, closing in brackets(text):
        definition = (
            _long_before(text, opening, closing)
            or _short_before(text, opening, closing)
            or _both_within(text, opening, closing)
        )
        if definition:
            found.append(definition)
    return sorted(found, key=lambda d: (d.short_start, d.short_end))


def short_forms(text: str, start: int, end: int) -> Iterator[Range]:
    """What may be a short form in a bracket: all of it, then what stands before a separator."""
    start, end = _stripped(text, start, end)
    if start < end and _is_short(text[start:end]):
        yield start, end
    separator = _SEPARATOR.search(text, start, min(end, start + LONGEST_SHORT_FORM + 8))
    if separator and separator.start() > start:
        first, last = _stripped(text, start, separator.start())
        if _is_short(text[first:last]):
            yield first, last


def words_before(text: str, opening: int, weight: int) -> Range:
    """The words before a bracket that may be the long form of a short form of this weight."""
    last = opening
    while last and (text[last - 1].isspace() or text[last - 1] in ",\"'"):
        last -= 1
    if text.count("\n", last, opening) > 1:
        return last, last
    least, more, most = _WINDOW
    first = max(0, last - min(least + more * weight, most))
    while 0 < first < last and not text[first - 1].isspace():
        first += 1
    for end in _END.finditer(text, first, last):
        first = end.end()
    opened = []
    for sign in BRACKET.finditer(text, first, last):
        if sign[0] in "([":
            opened.append(sign.end())
        elif opened:
            opened.pop()
    return (opened[-1] if opened else first), last


def limit(weight: int) -> float:
    """The highest cost at which a short form of this weight is taken for defined."""
    return LIMITS[min(weight, len(LIMITS) - 1)]


def _long_before(text: str, opening: int, closing: int) -> Definition | None:
    """``long form (SF)``."""
    is_glued = opening > 0 and not text[opening - 1].isspace()
    if is_glued and not text[opening - 1].isalnum():
        return None
    for start, end in short_forms(text, opening + 1, closing):
        short, rest = text[start:end], text[end:closing].strip()
        weight = weight_of(short)
        share = 1.0
        if weight < 2 and (rest or not weight or not short.isupper()):
            continue
        if weight < 2 and text[closing + 1 : closing + 2] == "-":  # (R)-limonene
            continue
        if is_glued:
            if rest or weight < 2 or sum(map(str.isupper, short)) < 2:
                continue
            share = _GLUED
        elif rest.startswith("="):
            share = _STATISTIC
        elif weight > 3 and short.isalpha() and short.islower():
            share = _PLAIN_WORD
        first, last = words_before(text, opening, weight)
        aligned = align(short, text[first:last])
        if aligned is None or aligned.cost > share * limit(weight):
            continue
        begin = _whole_name(text, first, first + aligned.start, aligned.cost)
        if _is_long(text[begin:last], short):
            return Definition(start, end, begin, last)
    return None


def _short_before(text: str, opening: int, closing: int) -> Definition | None:
    """``SF (long form)``, and with a word between, ``SF protein (long form)``."""
    for start, end, share in _words_beside(text, opening):
        short = text[start:end]
        if not short or short.islower() or not _ends_as_short(short) or not _is_short(short):
            continue
        weight = weight_of(short)
        if weight < 2:
            continue
        best: tuple[float, Definition] | None = None
        for begin, stop in _long_forms(text, opening + 1, closing):
            long = text[begin:stop]
            # Two short forms beside each other: NO synthase (L-NOArg).
            written_out = sum(map(str.islower, long)) > sum(map(str.isupper, long))
            if len(long) < 2 * len(short) or not written_out:
                continue
            aligned = align(short, long)
            if aligned is None or aligned.cost > share * limit(weight):
                continue
            is_whole = _with_locants(text, begin, begin + aligned.start) == begin
            if is_whole and _is_long(long, short) and (best is None or aligned.cost < best[0]):
                best = aligned.cost, Definition(start, end, begin, stop)
        if best:
            return best[1]
    return None


def _words_beside(text: str, opening: int) -> Iterator[tuple[int, int, float]]:
    """The last two words before a bracket, and the shares of the limit they may cost."""
    first = max(0, opening - _BESIDE)
    _, end = _stripped(text, first, opening)
    if end == opening or text.count("\n", end, opening) > 1:
        return
    start = _token_start(text, first, end)
    yield _without_opening(text, start, end), end, _SHORT_FIRST
    if text[start:end].isalpha() and text[start:end].islower():
        _, before = _stripped(text, first, start)
        if text.count("\n", before, start) < 2:
            start = _token_start(text, first, before)
            yield _without_opening(text, start, before), before, _SHORT_FIRST_WORD_BETWEEN


def _without_opening(text: str, start: int, end: int) -> int:
    while start < end and text[start] in "([\"'":
        start += 1
    return start


def _both_within(text: str, opening: int, closing: int) -> Definition | None:
    """``(long form, SF)``."""
    start, end = _stripped(text, opening + 1, closing)
    separators = list(_SEPARATOR_OF_LONG.finditer(text, start, end))
    if not separators:
        return None
    begin, stop = _stripped(text, start, separators[-1].start())
    start = separators[-1].end()
    short, long = text[start:end], text[begin:stop]
    if not short or not _is_short(short) or short.islower():
        return None
    weight = weight_of(short)
    aligned = align(short, long) if weight > 1 else None
    if aligned is None or aligned.start > 0 or aligned.cost > _BOTH_WITHIN * limit(weight):
        return None
    return Definition(start, end, begin, stop) if _is_long(long, short) else None


def _long_forms(text: str, start: int, end: int) -> Iterator[Range]:
    """What may be a long form in a bracket: all of it, then what stands before a separator."""
    start, end = _stripped(text, start, end)
    if start < end:
        yield start, end
        separator = _SEPARATOR_OF_LONG.search(text, start, end)
        if separator and separator.start() > start:
            yield _stripped(text, start, separator.start())


def _is_short(short: str) -> bool:
    return (
        len(short) <= LONGEST_SHORT_FORM
        and len(short.split()) <= 2
        and any(map(str.isalpha, short))
        and (short[0].isalnum() or short[0] in "([.+-*")
        and not _UNLIKE_SHORT.search(short)
    )


def _ends_as_short(word: str) -> bool:
    return word[-1].isalnum() or word[-1] in "+)]" or "." in word[:-1]


def _is_long(long: str, short: str) -> bool:
    """Whether brackets of the long form close, and it does not hold the short form as a word."""
    if len(long) <= len(short) or not closes(long):
        return False
    at = long.find(short)
    while at >= 0:
        end = at + len(short)
        if not long[max(0, at - 1) : at].isalnum() and not long[end : end + 1].isalnum():
            return False
        at = long.find(short, at + 1)
    return True


def _with_locants(text: str, first: int, start: int) -> int:
    """The start of a long form with the locants that stand before it."""
    token = _token_start(text, first, start)
    return token if token < start and _LOCANT.fullmatch(text, token, start) else start


def _whole_name(text: str, first: int, start: int, cost: float) -> int:
    """The start of the name of which a long form, found by its letters, is a part."""
    begin = _with_locants(text, first, start)
    token = _token_start(text, first, start)
    if begin < start or token == start:
        return begin
    within_word = text[start - 1].isalnum()
    return (
        token if within_word or (cost > _LOOSE and not _SLASH.search(text, token, start)) else start
    )


def _token_start(text: str, first: int, position: int) -> int:
    while position > first and not text[position - 1].isspace():
        position -= 1
    return position


def _stripped(text: str, start: int, end: int) -> Range:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
