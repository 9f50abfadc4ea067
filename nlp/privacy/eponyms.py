"""Names that are part of a disease, sign, device or maker: no identifiers."""

from __future__ import annotations

from functools import cache

from nlp.privacy.rules import read_name_lists, word_set
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


@cache
def _surnames() -> frozenset[str]:
    return frozenset(name.lower() for name in read_name_lists()["word_surnames"])


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
        following, lower = words.word(ahead + 1), words.lowers[ahead + 1]
        if lower in nouns and not (following.istitle() and lower in _surnames()):  # James Walker
            return True
        if following.isupper() or (ahead > index and not following.istitle()):
            return False
    return False
