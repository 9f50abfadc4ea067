"""A text's words, cut once for all rules that go by words."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass

_MARKED = "(?:[\u0300-\u036f]+[^\\W_]*)*"
"""Marks that combine with the letter before, and what follows them."""

_WORD = re.compile(rf"[^\W_]+{_MARKED}(?:['’][^\W\d_]+{_MARKED})*")
HYPHENS = frozenset("-\u2010\u2011\u2013")
_POSSESSIVE = ("'s", "’s", "'S", "’S")


@dataclass(frozen=True, eq=False)
class Words:
    """Words of letters and digits: ``text[starts[i]:ends[i]]``, a possessive 's left out.

    ``lowers`` has them in lower case, letters and their marks composed.
    """

    text: str
    starts: list[int]
    ends: list[int]
    lowers: list[str]

    def __len__(self) -> int:
        return len(self.starts)

    def word(self, index: int) -> str:
        """The word as written."""
        return self.text[self.starts[index] : self.ends[index]]

    def gap(self, index: int) -> str:
        """What stands between a word and the next one; to the end of the text after the last."""
        after = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.text)
        return self.text[self.ends[index] : after]

    def at(self, position: int) -> int:
        """Index of the first word that starts at the position or behind it."""
        return bisect_left(self.starts, position)

    def is_capitalised(self, index: int) -> bool:
        """Whether it begins with a capital and holds no digit."""
        word = self.word(index)
        return word[0].isupper() and not any(letter.isdigit() for letter in word)

    def is_initial(self, index: int) -> bool:
        """Whether it is one capital letter."""
        word = self.word(index)
        return len(word) == 1 and word.isupper()


def cut_words(text: str) -> Words:
    """Cut a text into words."""
    starts, ends, lowers = [], [], []
    for match in _WORD.finditer(text):
        word = match.group()
        end = match.end()
        if word.endswith(_POSSESSIVE):
            word, end = word[:-2], end - 2
        starts.append(match.start())
        ends.append(end)
        lowers.append(
            word.lower() if word.isascii() else unicodedata.normalize("NFC", word).lower()
        )
    return Words(text, starts, ends, lowers)
