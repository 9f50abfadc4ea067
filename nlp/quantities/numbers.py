"""Numbers as they are written: figures, fractions, and words below a hundred."""

from __future__ import annotations

import re

_WORDS = {
    **{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8},
    **{"nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14},
    **{"fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19},
    **{"half": 0.5, "one-half": 0.5, "one half": 0.5},
}
_TENS = {
    **{"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70},
    **{"eighty": 80, "ninety": 90},
}
NUMBER_WORD = (
    rf"(?:{'|'.join(_TENS)})(?:[ -](?:one|two|three|four|five|six|seven|eight|nine)\b)?|"
    + "|".join(sorted(_WORDS, key=len, reverse=True)).replace(" ", r"\s")
)
FIGURES = r"(?:[1-9]\d{0,2}(?:,\d{3})+|\d{1,9})(?:\.\d{1,9}|(?!,\d))|\.\d{1,9}"
"""At most nine digits on either side of the point: longer ones count nothing.

A comma parts thousands; 0,125 and 5,3 are no numbers, since half of one would be a wrong amount.
"""
NUMBER = (
    rf"(?:(?:\d{{1,2}}|(?:{NUMBER_WORD}))\sand\s(?:a|one)[ -]half\b|\d{{1,2}}[ -][1-3]/[2-4]\b"
    rf"|(?:{FIGURES})(?!\d)|½|(?:{NUMBER_WORD})\b)"
)
"""A number; white space, if any, stays outside."""

_FRACTION = re.compile(r"(\d{1,2})[ -](\d)/(\d)")


def read_number(written: str) -> float:
    """The value of what :data:`NUMBER` matched."""
    if written == "½":
        return 0.5
    if fraction := _FRACTION.fullmatch(written):
        whole, above, below = map(int, fraction.groups())
        return whole + above / below
    first, _, half = written.partition(" and ")
    if half:
        return read_number(first) + 0.5
    words = " ".join(written.lower().split())
    tens, _, ones = words.replace("-", " ").partition(" ")
    if tens in _TENS:
        return float(_TENS[tens] + _WORDS.get(ones, 0))
    return float(_WORDS[words]) if words in _WORDS else float(written.replace(",", ""))
