"""The name that a mention is linked by."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice

from nlp.preprocess.abbreviations import Abbreviation


def lookup_text(text: str, start: int, end: int, abbreviations: Sequence[Abbreviation]) -> str:
    """The mention ``text[start:end]`` with short forms expanded and white space collapsed.

    Each short form inside the mention that the document defines is replaced by its long form. A
    mention that holds the definition itself, ``long (SF)`` or ``SF (long)``, keeps the long form
    alone. A mention that is not blank never becomes blank.

    Args:
        text: the document's text.
        start, end: the mention in characters of it.
        abbreviations: the document's, in the order of ``short_start_char``.
    """
    pieces = []
    position = start
    first = bisect_left(abbreviations, start, key=lambda short: short.short_start_char)
    for short in islice(abbreviations, first, None):
        if short.short_start_char >= end:
            break
        if short.short_start_char < position or short.short_end_char > end or _in_own_long(short):
            continue
        before = text[position : short.short_start_char]
        position = short.short_end_char
        if start <= short.long_start_char and short.long_end_char <= end:
            if before.rstrip().endswith("("):
                pieces.append(before.rstrip()[:-1].rstrip())
                position = _past_parenthesis(text, position)
                continue
            if text[position : short.long_start_char].strip() == "(":
                position = _past_parenthesis(text, short.long_end_char)
        pieces += [before, short.long_form]
    pieces.append(text[position:end])
    return _collapsed("".join(pieces)) or _collapsed(text[start:end])


def _in_own_long(short: Abbreviation) -> bool:
    """Whether this occurrence is part of the definition, as the first CT in ``CT (CT)``."""
    return (
        short.long_start_char <= short.short_start_char
        and short.short_end_char <= short.long_end_char
    )


def _past_parenthesis(text: str, position: int) -> int:
    return position + 1 if text[position : position + 1] == ")" else position


def _collapsed(text: str) -> str:
    return " ".join(text.split())
