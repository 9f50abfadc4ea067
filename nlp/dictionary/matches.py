"""The n-grams of texts that are names in a store."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from nlp.dictionary.tokens import Ints, Tokenizer, Words
from ontologies.phrases import MAX_WORDS, Keys, PhraseIndex, extend, find_phrases, may_hold

_BETWEEN = "\n\n"
_BREAK = re.compile(r"[;:]\s|\n[^\S\n]*\n")
"""What ends a phrase inside a sentence: a semicolon or colon before white space, a blank line."""


@dataclass(frozen=True)
class Matches:
    """N-grams that are names, one row for each name that has the words; shape (matches,).

    Attributes:
        start, end: in characters of all texts together, see :class:`Joined`.
        plain: key of the n-gram's words as written, made of ``Words.plain``.
        row: of the phrase index.
    """

    start: Ints
    end: Ints
    plain: Keys
    row: Ints

    def where(self, kept: npt.NDArray[np.bool_]) -> Matches:
        """The rows for which ``kept`` is true."""
        return Matches(self.start[kept], self.end[kept], self.plain[kept], self.row[kept])


@dataclass(frozen=True)
class Joined:
    """Several texts as one, a blank line between them; ``offset`` is where each begins."""

    text: str
    offset: Ints

    @classmethod
    def of(cls, texts: Sequence[str]) -> Joined:
        """Join texts."""
        lengths = (len(text) + len(_BETWEEN) for text in texts)
        offset = np.fromiter(accumulate(lengths, initial=0), dtype=np.int64)
        return cls(_BETWEEN.join(texts), offset[:-1])


def find_matches(
    tokenizer: Tokenizer,
    index: PhraseIndex,
    joined: Joined,
    sentences: Sequence[Sequence[tuple[int, int]]],
) -> Matches:
    """Every n-gram of one to ``MAX_WORDS`` words that is a name of the index.

    An n-gram begins and ends where a token does and lies within one sentence, on one side of a
    semicolon, a colon and a blank line.

    Args:
        tokenizer: remembers tokens from one call to the next.
        index: of names.
        joined: the texts.
        sentences: of each text, (start, end) in its characters, in text order.
    """
    words = tokenizer.words(joined.text)
    segment = np.searchsorted(_breaks(joined, sentences), words.start, side="right")
    starts, ends = [words.start[:0]], [words.end[:0]]
    keys, plains = [words.hash[:0]], [words.hash[:0]]
    key = words.hash
    for further in range(min(MAX_WORDS, len(key))):
        if further:
            key = extend(key[:-1], words.hash[further:])
        hit = may_hold(index, key)
        hit &= words.first[: len(key)] & words.last[further:]
        hit &= segment[: len(key)] == segment[further:]
        at = np.flatnonzero(hit)
        starts.append(words.start[at])
        ends.append(words.end[at + further])
        keys.append(key[at])
        plains.append(plain_keys(words, at, further + 1))
    query, row = find_phrases(index, np.concatenate(keys))
    start, end, plain = np.concatenate(starts), np.concatenate(ends), np.concatenate(plains)
    return Matches(start[query], end[query], plain[query], row)


def plain_keys(words: Words, first: Ints, count: int) -> Keys:
    """Keys of n-grams of ``count`` words by their words as written, shape as ``first``."""
    key = np.zeros(len(first), dtype=np.uint64)
    for further in range(count):
        key = extend(key, words.plain[first + further])
    return key


def _breaks(joined: Joined, sentences: Sequence[Sequence[tuple[int, int]]]) -> Ints:
    """Characters at which no phrase goes on, ascending."""
    found = [match.start() for match in _BREAK.finditer(joined.text)]
    for offset, bounds in zip(joined.offset.tolist(), sentences, strict=True):
        found.extend(offset + start for start, _ in bounds)
    return np.sort(np.array(found, dtype=np.int64))
