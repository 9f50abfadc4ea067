"""Names as sequences of words, found in text by keys that n-grams are compared to.

The words of a phrase are those of its ``normal_form``, each folded by itself: plural, spelling and
the equivalents of ``ontologies/words.py``. A phrase's key is made of its words' hashes in order, so
that the keys of all n-grams of a text come from a few array operations::

    key(w1) = hash(w1)        key(w1 ... wn) = key(w1 ... wn-1) * BASE + hash(wn)    (mod 2^64)

(the polynomial of Karp and Rabin 1987, doi:10.1147/rd.312.0249, over words). Hashes are 64 bits of
BLAKE2b, the same on every machine.

**Odds of a collision.** Phrases of different words have the same key with a probability of 2^-64;
phrases that differ in the order of two words alone with one of 2^-60 at most, since BASE^i - BASE^j
has no more than four factors of two within ``MAX_WORDS``. The names themselves are not compared: of
n-grams that are no name of a store of nine million names, one in 2 * 10^12 is taken for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import polars as pl

from ontologies.normalise import folded_text, normal_form, singular

MAX_WORDS = 8
"""Longest phrase in words; of MeSH's names fewer than one in a hundred are longer."""

_VAGUE = frozenset({"damage", "damages", "lesion", "lesions"})
"""Equivalents of injury in names, but not in text: a lesion there may be anything."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
_BITS_PER_KEY = 16

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class PhraseIndex:
    """The names that a text may be searched for.

    Attributes:
        key: of each name, sorted, shape (names,).
        name: row of each name.
        present: one bit for each leading part of a key, packed, lowest bit first: where it is not
            set, no key begins so. Spares most n-grams the search. Its length is a power of two.
    """

    key: Keys
    name: npt.NDArray[np.int32]
    present: npt.NDArray[np.uint8]


@lru_cache(maxsize=200_000)
def fold_word(word: str) -> str:
    """A word of a normal form as it counts in a phrase; it may become several words."""
    return singular(word) if word in _VAGUE else folded_text(word)


def word_hash(word: str) -> int:
    """The 64-bit hash of a word."""
    digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def extend(key: Keys, following: Keys) -> Keys:
    """Keys of phrases that are each one word longer; ``following`` are the words' hashes."""
    return key * _BASE + following


def phrase_keys(forms: Sequence[str]) -> Keys:
    """Keys of non-empty normal forms, shape (forms,)."""
    words = pl.DataFrame({"word": forms}, schema={"word": pl.String}).with_row_index("phrase")
    words = words.with_columns(pl.col("word").str.split(" ")).explode("word")
    known = words.select("word").unique()
    hashes = [[word_hash(part) for part in fold_word(word).split()] for word in known["word"]]
    known = known.with_columns(hash=pl.Series(hashes, dtype=pl.List(pl.UInt64)))
    parts = words.join(known, on="word", how="left", maintain_order="left").explode("hash")
    hashed = parts["hash"].to_numpy()
    count = np.bincount(parts["phrase"].to_numpy(), minlength=len(forms))
    start = np.cumsum(count) - count
    key = np.zeros(len(forms), dtype=np.uint64)
    for position in range(int(count.max(initial=0))):
        rows = np.flatnonzero(count > position)
        key[rows] = extend(key[rows], hashed[start[rows] + position])
    return key


def phrase_rows(
    first: int, texts: Sequence[str], forms: Sequence[str], loose: npt.NDArray[np.bool_]
) -> pl.DataFrame:
    """Rows of the index for a chunk of names, unsorted.

    Left out are loose names, names without a letter, and those of more than ``MAX_WORDS`` words. A
    name with its head first, *Arthritis, Rheumatoid*, is there in its natural order too.

    Args:
        first: row of the first of the names.
        texts: the names as the release writes them.
        forms: their normal forms.
        loose: whether a name means something narrower, broader or only related.

    Returns:
        Columns ``key`` and ``name``.
    """
    name, phrase = [], []
    for row, (text, form, is_loose) in enumerate(zip(texts, forms, loose.tolist(), strict=True)):
        if is_loose or form.count(" ") >= MAX_WORDS or not any(map(str.isalpha, form)):
            continue
        for words in (form, *_natural_order(text)):
            name.append(first + row)
            phrase.append(words)
    return pl.DataFrame(
        {"key": phrase_keys(phrase), "name": name}, schema={"key": pl.UInt64, "name": pl.Int32}
    )


def join_phrases(parts: Iterable[pl.DataFrame]) -> PhraseIndex:
    """The index of all chunks that :func:`phrase_rows` made."""
    rows = pl.concat([phrase_rows(0, [], [], np.zeros(0, dtype=np.bool_)), *parts])
    rows = rows.sort("key", "name")
    key = rows["key"].to_numpy()
    bits = max(3, int(np.ceil(np.log2(max(1, len(key)) * _BITS_PER_KEY))))
    part = np.unique(key >> np.uint64(64 - bits))
    present = np.zeros(1 << (bits - 3), dtype=np.uint8)
    np.bitwise_or.at(present, part >> np.uint64(3), _bit(part))
    return PhraseIndex(key=key, name=rows["name"].to_numpy(), present=present)


def may_hold(index: PhraseIndex, key: Keys) -> npt.NDArray[np.bool_]:
    """Where the index may have a key, shape as ``key``; of those it has not, one in 16 passes."""
    part = key >> np.uint64(64 - 3 - (len(index.present).bit_length() - 1))
    return np.asarray((index.present[part >> np.uint64(3)] & _bit(part)) != 0)


def find_phrases(
    index: PhraseIndex, key: Keys
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All names with the given keys.

    Returns:
        Two arrays of one length: the position in ``key``, ascending, and the row of the index.
    """
    first = np.searchsorted(index.key, key, side="left")
    runs = np.searchsorted(index.key, key, side="right") - first
    query = np.repeat(np.arange(len(key), dtype=np.int64), runs)
    within = np.arange(len(query)) - np.repeat(np.cumsum(runs) - runs, runs)
    return query, first[query] + within


def _natural_order(text: str) -> tuple[str, ...]:
    """The normal form of a name of the form *head, modifier* read as *modifier head*."""
    head, comma, modifier = text.partition(", ")
    if not comma or ", " in modifier:
        return ()
    words = normal_form(f"{modifier} {head}")
    return (words,) if any(map(str.isalpha, words)) else ()


def _bit(part: Keys) -> npt.NDArray[np.uint8]:
    return np.left_shift(np.uint8(1), (part & np.uint64(7)).astype(np.uint8))
