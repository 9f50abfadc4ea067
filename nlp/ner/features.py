"""How words are written: the upper and lower case that a lower-cased vocabulary loses.

A model that uses it says so in its decoder.json; each token then carries its word's class as token
type, so that any BERT-form classifier can learn from it without new code in the network.
"""

from __future__ import annotations

import sys
from functools import cache

import numpy as np
from numpy.typing import NDArray

LOWER, CAPITALISED, UPPER, SINGLE_UPPER, MIXED = range(5)
CASE_CLASSES = 5
"""lower (or no letters), Capitalised, UPPER, one upper-case letter alone, miXed."""


@cache
def _letter_kinds() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each code point: is it a letter, is it an upper-case letter."""
    letters = np.zeros(sys.maxunicode + 1, dtype=bool)
    upper = np.zeros(sys.maxunicode + 1, dtype=bool)
    for code in range(0x20000):  # beyond lie ideographs and private use: no case
        character = chr(code)
        letters[code] = character.isalpha()
        upper[code] = character.isupper()
    return letters, upper


def word_case(text: str, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The case class of each word.

    Args:
        text: the text as it stands.
        starts, ends: words in characters of it, shape (words,).

    Returns:
        Classes 0 to 4, shape (words,).
    """
    if not len(starts):
        return np.zeros(0, dtype=np.int64)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    letters, upper = (kinds[codes] for kinds in _letter_kinds())
    letter_count = _counts(letters, starts, ends)
    upper_count = _counts(upper, starts, ends)
    # The first letter decides between Capitalised and mixed; a word may begin with a digit.
    positions = np.flatnonzero(letters)
    first = np.searchsorted(positions, starts)
    first_upper = np.zeros(len(starts), dtype=bool)
    has_letter = letter_count > 0
    first_upper[has_letter] = upper[positions[first[has_letter]]]
    return np.select(
        [
            upper_count == 0,
            (upper_count == letter_count) & (letter_count > 1),
            upper_count == letter_count,
            (upper_count == 1) & first_upper,
        ],
        [LOWER, UPPER, SINGLE_UPPER, CAPITALISED],
        MIXED,
    ).astype(np.int64)


def _counts(
    flags: NDArray[np.bool_], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.int64]:
    before = np.concatenate([[0], np.cumsum(flags)])
    counts: NDArray[np.int64] = before[ends] - before[starts]
    return counts
