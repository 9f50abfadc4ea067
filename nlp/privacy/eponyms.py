"""Names that are part of a disease, sign, device or maker: no identifiers."""

from __future__ import annotations

from functools import cache

from nlp.privacy.rules import word_set
from nlp.privacy.words import Words

_JOINTS = frozenset({" ", "-", "'", "’", "' ", "’ ", "'s ", "’s ", "–", "/"})
MOST_WORDS = 3
"""So many words ahead the noun may stand: Alzheimer's type dementia."""


@cache
def _nouns() -> frozenset[str]:
    return word_set("eponyms", "nouns")


@cache
def _names() -> frozenset[str]:
    return frozenset(name.removesuffix("'s") for name in word_set("eponyms", "names"))


def is_eponym(words: Words, index: int) -> bool:
    """Whether the word names a thing: a thing's noun follows soon, or it is a well-known one."""
    return words.lowers[index] in _names() or names_a_thing(words, index)


def names_a_thing(words: Words, index: int) -> bool:
    """Whether a noun such as disease, sign or catheter follows within a few words."""
    nouns = _nouns()
    for ahead in range(index, min(index + MOST_WORDS, len(words) - 1)):
        gap = words.gap(ahead)
        if gap.removeprefix("'s").removeprefix("’s") not in _JOINTS and gap not in _JOINTS:
            return False
        if words.lowers[ahead + 1] in nouns:
            return True
        if ahead > index and not words.is_capitalised(ahead + 1):
            return False
    return False
