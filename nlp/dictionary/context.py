"""What the characters of a match and those beside it say against its name."""

from __future__ import annotations

import re

_NEAR = 20
"""Characters to either side, on the same line, in which a neighbouring word is looked for."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_LOCANT = re.compile(
    r"(?:[\[(][^\W_]{1,3}[\])]|(?<![^\W_])(?:\d+|\d*(?:[^\W_]|alpha|beta|gamma|delta|omega)))-\Z",
    re.IGNORECASE,
)
_LONGEST_LOCANT = 12
"""Characters before a match in which a locant is looked for."""


def may_mean(text: str, start: int, end: int, name: str) -> bool:
    """Whether a short match ``text[start:end]`` may be a name, by its capitals.

    Where the name is in capitals alone, or either has them inside (*ALL*, *ACh*), both are
    written alike, letter for letter. But a match in capitals throughout is an abbreviation of
    something else (*CAT scan*) unless what stands around it is in capitals too, or it is a heading.
    """
    written = text[start:end]
    if not _is_word(name) or not (_is_word(written) or written.isupper()):
        return written == name
    return not written.isupper() or text[end : end + 1] == ":" or _among_capitals(text, start, end)


def _is_word(written: str) -> bool:
    return written.islower() or written.istitle()


def _among_capitals(text: str, start: int, end: int) -> bool:
    """Whether a neighbouring word on the line is in capitals; true where there is none."""
    before = _WORD.findall(text[max(0, start - _NEAR) : start].rpartition("\n")[2])
    after = _WORD.findall(text[end : end + _NEAR].partition("\n")[0])
    words = [*before[-1:], *after[:1]]
    return not words or any(word.isupper() for word in words)


def is_rest_of_chemical(text: str, start: int) -> bool:
    """Whether a position follows a locant and a hyphen, as in *5-fluorouracil*, *17beta-estradiol*.

    What begins there is the rest of a longer name, which means another substance.
    """
    return _LOCANT.search(text[max(0, start - _LONGEST_LOCANT) : start]) is not None
