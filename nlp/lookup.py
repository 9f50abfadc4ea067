"""The name that a mention is linked by."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice

from nlp.preprocess.abbreviations import Abbreviation

_OPENING = ("(", "[")


def lookup_text(text: str, start: int, end: int, abbreviations: Sequence[Abbreviation]) -> str:
    """The mention ``text[start:end]`` with short forms expanded and white space collapsed.

    Each short form inside the mention that the document defines is replaced by its long form, in
    which further short forms are expanded too: ``DBP`` becomes ``diastolic blood pressure`` where
    it stands for ``diastolic BP``. A mention that holds the definition itself, ``long (SF)`` or
    ``SF (long)``, in round or square brackets, keeps the long form alone. A mention that is not
    blank never becomes blank.

    Args:
        text: the document's text.
        start, end: the mention in characters of it.
        abbreviations: the document's, in the order of ``short_start_char``.
    """
    return _expanded(text, start, end, abbreviations, within=True)


def _expanded(
    text: str, start: int, end: int, abbreviations: Sequence[Abbreviation], *, within: bool
) -> str:
    """See :func:`lookup_text`; ``within`` long forms only one level deep, since they may circle."""
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
        long_start, long_end = short.long_start_char, short.long_end_char
        if start <= long_start and long_end <= end:
            if before.rstrip().endswith(_OPENING):
                pieces.append(before.rstrip()[:-1].rstrip())
                position = _past_bracket(text, position)
                continue
            if text[position:long_start].strip() in _OPENING:
                position = _past_bracket(text, long_end)
        long = short.long_form
        if within:
            long = _expanded(text, long_start, long_end, abbreviations, within=False)
        pieces += [before, long]
    pieces.append(text[position:end])
    return _collapsed("".join(pieces)) or _collapsed(text[start:end])


def _in_own_long(short: Abbreviation) -> bool:
    """Whether this occurrence is part of the definition, as the first CT in ``CT (CT)``."""
    return (
        short.long_start_char <= short.short_start_char
        and short.short_end_char <= short.long_end_char
    )


def _past_bracket(text: str, position: int) -> int:
    return position + 1 if text[position : position + 1] in (")", "]") else position


def _collapsed(text: str) -> str:
    return " ".join(text.split())
