"""Texts as words of ``normal_form`` with exact offsets, many texts at a time.

A token is a run of characters none of which ``normal_form`` makes a space; apostrophes are part of
it, so that possessives are told as there. Its words are those of its own normal form, usually one:
*TGFβ1* has three. The words of neighbouring tokens joined by spaces are the normal form of the text
between: nothing in ``normal_form`` looks across what it makes a space.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ontologies.normalise import normal_form, singular
from ontologies.phrases import Keys, fold_word, word_hash

LARGEST_VOCABULARY = 500_000
"""Distinct tokens that are remembered; then all are forgotten, for memory's sake."""

_SPACE = 32
_POSSESSIVE = "'s"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Words:
    """Words in text order; shape of every array (words,).

    Attributes:
        hash: of the word as phrases have it, folded.
        plain: of the word as written, its plural folded: what stop words are compared to. Where one
            word was folded into several, the first of them has it and the others that of nothing.
        start, end: the token a word is from, in characters, without apostrophes around it and
            without a possessive at its end.
        first, last: whether a word is the first, or the last, of its token.
    """

    hash: Keys
    plain: Keys
    start: Ints
    end: Ints
    first: npt.NDArray[np.bool_]
    last: npt.NDArray[np.bool_]


class Tokenizer:
    """Cuts texts into words and remembers what each distinct token is made of."""

    def __init__(self) -> None:
        """Begin with an empty vocabulary."""
        self._forget()

    def _forget(self) -> None:
        self._entries = _Entries()

    def words(self, text: str) -> Words:
        """The words of a text."""
        if len(self._entries) > LARGEST_VOCABULARY:
            self._forget()
        # Line by line: ``translate`` is ten times as fast where all is ASCII.
        spaced = "".join(line.translate(_SPACES) for line in text.splitlines(keepends=True))
        tokens = spaced.split(" ")
        entries = self._entries
        entry = np.fromiter(map(entries.__getitem__, filter(None, tokens)), dtype=np.int64)
        start, end = _bounds(spaced)
        count = entries.array("count", np.int64)[entry]
        token = np.repeat(np.arange(len(entry)), count)
        within = np.arange(len(token)) - np.repeat(np.cumsum(count) - count, count)
        row = entries.array("first_word", np.int64)[entry][token] + within
        return Words(
            hash=entries.array("hash", np.uint64)[row],
            plain=entries.array("plain", np.uint64)[row],
            start=(start + entries.array("before", np.int64)[entry])[token],
            end=(end - entries.array("after", np.int64)[entry])[token],
            first=within == 0,
            last=within == count[token] - 1,
        )


class _Entries(dict[str, int]):
    """Number of each distinct token, given when it is first asked for, and what is in it."""

    def __init__(self) -> None:
        super().__init__()
        self._columns = {
            **{name: array("Q") for name in ("hash", "plain")},
            **{name: array("q") for name in ("count", "first_word", "before", "after")},
        }

    def array(self, name: str, kind: type[np.generic]) -> npt.NDArray[Any]:
        """A copy of a column: ``hash`` and ``plain`` have a row a word, the others one a token."""
        return np.array(self._columns[name], dtype=kind)

    def __missing__(self, token: str) -> int:
        columns = self._columns
        form = normal_form(token)
        words = form.split() if any(map(str.isalnum, form)) else []
        first = len(columns["hash"])
        for word in words:
            folded = fold_word(word).split()
            columns["hash"].extend(map(word_hash, folded))
            columns["plain"].extend(map(word_hash, [singular(word), *[""] * (len(folded) - 1)]))
        columns["first_word"].append(first)
        columns["count"].append(len(columns["hash"]) - first)
        before, after = _around(token, form)
        columns["before"].append(before)
        columns["after"].append(after)
        number = self[token] = len(self)
        return number


def _around(token: str, form: str) -> tuple[int, int]:
    """Characters at a token's start and end that are apostrophes or make it a possessive."""
    bare = token.strip("'")
    before = token.find(bare)
    if bare.endswith((_POSSESSIVE, _POSSESSIVE.upper())) and normal_form(bare[:-2]) == form:
        bare = bare[:-2].rstrip("'")
    return before, len(token) - before - len(bare)


def _bounds(spaced: str) -> tuple[Ints, Ints]:
    """First and one past the last character of each run of characters that are no space."""
    codes = np.frombuffer(spaced.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    inside = np.concatenate([[False], codes != _SPACE, [False]])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    return edges[::2], edges[1::2]


class _Spaces(dict[int, str]):
    """Each character as a token sees it: a space, a plain apostrophe, or itself."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if normal_form(f"x{character}s") == "x":
            seen = "'"
        elif normal_form(f"x{character}x") == "x x":
            seen = " "
        else:
            seen = character
        self[code] = seen
        return seen


_SPACES = _Spaces()
