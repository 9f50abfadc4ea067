"""Where a text defines short forms: ``long form (SF)``, ``SF (long form)``, ``(long form, SF)``.

Brackets are round or square. Of ``(SF, 95% range)`` or ``[SF; note]`` the part before the sign is
tried too. What a bracket holds is a definition where it aligns with the words beside it (see
:mod:`nlp.preprocess.alignment`) at a cost that chance seldom reaches. Each bracket is judged by the
few words around it, so that the time is proportional to the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.preprocess.alignment import align, letters_of

LONGEST_BRACKET = 200
"""Characters between the brackets of a definition."""

LONGEST_SHORT_FORM = 24
"""Characters of a short form."""

_LIMITS = (0.0, 0.6, 2.3, 3.6, 5.0, 5.5, 7.0)
"""The highest cost taken for a definition, by the letters of the short form; the last for more."""

_WORD = 0.1
"""Share of the limit for what may be a plain word in brackets."""

_BRACKET = re.compile(r"[()\[\]]")
_SEPARATOR = re.compile(r"\s*[,;:=]\s|\s(?:or|and)\s|=")
_UNLIKE_SHORT = re.compile(r"[<>=%~]|^\d\S*\s|^[a-z]{4,}\s|^[ivx]+$|^[a-z]+\s\d")
"""Comparisons, quantities, group A, and the (ii) of a list."""
_INSIDE_LONG = re.compile(r"[;,:]\s+")
_END = re.compile(r"(?<!\b\w)[.?!][\"')\]]*\s+(?=[A-Z0-9(\[\"'])|[;:]\s|\n[ \t\r]*\n")
"""Where the words before a bracket stop belonging to it."""

_SLASH = re.compile(r"\w/")
_LAST_WORD = re.compile(r"(\S{1,24})\s+\Z")
_LAST_BUT_ONE = re.compile(r"(\S{1,24})\s+[a-z]+\s+\Z")
_GLUED = re.compile(r"\S*\Z")
_LOCANT = re.compile(
    r"(?:[\d,'()+\[\]-]|\b(?:[a-z]|di|tri|cis|trans|alpha|beta|gamma|delta|omega|[A-Z]{1,2})-)+",
    re.IGNORECASE,
)
"""What stands before the name of a chemical, as in 1,2-diacylglycerol, and is not spelt out."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A short form and its long form, in characters of the text."""

    short_start: int
    short_end: int
    long_start: int
    long_end: int


def find_definitions(text: str) -> Iterator[Definition]:
    """The definitions of a text, in the order of their brackets."""
    for opening, closing in _brackets(text):
        found = _long_before(text, opening, closing) or _short_before(text, opening, closing)
        found = found or _both_within(text, opening, closing)
        if found:
            yield found


def _brackets(text: str) -> Iterator[tuple[int, int]]:
    """Opening and closing brackets that belong together, the outermost of nested ones first.

    An opening bracket that is not closed in time is forgotten, as is a closing one too many.
    """
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    for match in _BRACKET.finditer(text):
        if match[0] in "([":
            opened.append(match.start())
            continue
        while opened:
            opening = opened.pop()
            if (text[opening] == "(") == (match[0] == ")"):
                if match.start() - opening <= LONGEST_BRACKET:
                    found.append((opening, match.start()))
                break
    yield from sorted(found)


def _long_before(text: str, opening: int, closing: int) -> Definition | None:
    """``long form (SF)``."""
    for start, end in _short_forms(text, opening + 1, closing):
        short = text[start:end]
        letters = letters_of(short)
        is_whole = not text[end:closing].strip()
        if letters < 2 and not (letters and is_whole and short.isupper()):
            continue
        glued = opening > 0 and not text[opening - 1].isspace()
        if glued and not (is_whole and letters > 1 and _is_glued_short(text, opening, short)):
            continue
        first, last = _words_before(text, opening, letters)
        aligned = align(short, text[first:last])
        share = 0.5 if glued else 0.1 if text[end:closing].lstrip().startswith("=") else 1.0
        if letters > 3 and short.isalpha() and short.islower():
            share = min(share, _WORD)
        if aligned is None or aligned.cost > share * _limit(letters):
            continue
        begin = _whole_name(text, first, first + aligned.start, aligned.cost)
        if _is_long(text[begin:last], short):
            return Definition(start, end, begin, last)
    return None


def _short_before(text: str, opening: int, closing: int) -> Definition | None:
    """``SF (long form)``, and with a word between, as in ``SF protein (long form)``."""
    first = max(0, opening - 50)
    before = text[first:opening]
    for pattern, share in ((_LAST_WORD, 0.7), (_LAST_BUT_ONE, 0.4)):
        word = pattern.search(before)
        if word is None:
            continue
        short = word[1].lstrip("([\"'")
        end = first + word.end(1)
        letters = letters_of(short)
        if letters < 2 or not _ends_as_short(short) or not _is_short(short) or short.islower():
            continue
        for begin, stop in _long_forms(text, opening + 1, closing):
            long = text[begin:stop]
            if len(long) < 2 * len(short) or not any(map(str.islower, long)):
                continue
            aligned = align(short, long)
            if aligned is None or aligned.cost > share * _limit(letters):
                continue
            if _begin(text, begin, begin + aligned.start) == begin and _is_long(long, short):
                return Definition(end - len(short), end, begin, stop)
    return None


def _both_within(text: str, opening: int, closing: int) -> Definition | None:
    """``(long form, SF)``."""
    inner = text[opening + 1 : closing]
    separators = list(_INSIDE_LONG.finditer(inner))
    if not separators:
        return None
    separator = separators[-1]
    begin, stop = opening + 1, opening + 1 + separator.start()
    start, end = opening + 1 + separator.end(), closing
    short, long = text[start:end], text[begin:stop]
    letters = letters_of(short)
    if letters < 2 or not _is_short(short) or short.islower():
        return None
    aligned = align(short, long)
    if aligned is None or aligned.start > 0 or aligned.cost > 0.5 * _limit(letters):
        return None
    return Definition(start, end, begin, stop) if _is_long(long, short) else None


def _limit(letters: int) -> float:
    return _LIMITS[min(letters, len(_LIMITS) - 1)]


def _short_forms(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What may be a short form in a bracket: all of it, then what stands before a separator."""
    start, end = _stripped(text, start, end)
    if start < end and _is_short(text[start:end]):
        yield start, end
    separator = _SEPARATOR.search(text, start, min(end, start + LONGEST_SHORT_FORM + 8))
    if separator and separator.start() > start:
        first, last = _stripped(text, start, separator.start())
        if _is_short(text[first:last]):
            yield first, last


def _long_forms(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What may be a long form in a bracket: all of it, then what stands before a separator."""
    start, end = _stripped(text, start, end)
    if start < end:
        yield start, end
        separator = _INSIDE_LONG.search(text, start, end)
        if separator and separator.start() > start:
            yield start, separator.start()


def _is_short(short: str) -> bool:
    return (
        len(short) <= LONGEST_SHORT_FORM
        and len(short.split()) <= 2
        and any(map(str.isalpha, short))
        and (short[0].isalnum() or short[0] in "([.+-*")
        and not _UNLIKE_SHORT.search(short)
    )


def _is_glued_short(text: str, opening: int, short: str) -> bool:
    """Whether a bracket right after a word, as in kidney(KI), may define a short form."""
    return text[opening - 1].isalnum() and sum(map(str.isupper, short)) > 1


def _ends_as_short(word: str) -> bool:
    return word[-1].isalnum() or word[-1] in "+)]" or "." in word[:-1]


def _is_long(long: str, short: str) -> bool:
    """Whether brackets of the long form close, and it does not hold the short form as a word."""
    if not _closes(long) or len(long) <= len(short):
        return False
    return not re.search(rf"(?<![^\W_]){re.escape(short)}(?![^\W_])", long)


def _closes(name: str) -> bool:
    """Whether every bracket in it has its fellow."""
    depth = 0
    for sign in _BRACKET.findall(name):
        depth += 1 if sign in "([" else -1
        if depth < 0:
            return False
    return depth == 0


def _words_before(text: str, opening: int, letters: int) -> tuple[int, int]:
    """The words before a bracket that may be the long form of so many letters."""
    last = opening
    while last and (text[last - 1].isspace() or text[last - 1] in ",\"'"):
        last -= 1
    first = max(0, last - min(60 + 25 * letters, 260))
    if first:
        while first < last and not text[first - 1].isspace():
            first += 1
    for end in _END.finditer(text, first, last):
        first = end.end()
    opened = []
    for sign in _BRACKET.finditer(text, first, last):
        if sign[0] in "([":
            opened.append(sign.end())
        elif opened:
            opened.pop()
    return (opened[-1] if opened else first), last


def _begin(text: str, first: int, start: int) -> int:
    """The start of a long form with the locants that stand before it."""
    glued = _GLUED.search(text, first, start)
    return glued.start() if glued and _LOCANT.fullmatch(glued[0]) else start


def _whole_name(text: str, first: int, start: int, cost: float) -> int:
    """The start of the name of which a long form, found by its letters, is a part."""
    begin = _begin(text, first, start)
    if begin < start or start == first or text[start - 1].isspace():
        return begin
    glued = _GLUED.search(text, first, start)
    prefix = glued[0] if glued else ""
    if prefix[-1:].isalnum() or (cost > 1.0 and not _SLASH.search(prefix)):
        return start - len(prefix)
    return start


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
