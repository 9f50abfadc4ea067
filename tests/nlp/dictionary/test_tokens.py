"""Words with offsets: whatever stands in a text, its words are those of the normal form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.dictionary import tokens
from nlp.dictionary.matches import plain_keys
from nlp.dictionary.tokens import Tokenizer, Words
from ontologies.normalise import normal_form
from ontologies.phrases import extend, phrase_keys

# Letters, digits, Greek, accents alone and composed, ligatures, signs that are letters when
# decomposed, apostrophes, hyphens, white space, a character beyond 16 bits, a lone surrogate.
PIECES = [
    "a",
    "S",
    "s",
    "'s",
    "’S",
    "7",
    "β",
    "µ",
    "é",
    "e\u0301",
    "\u0301",
    "ﬁ",
    "™",
    "½",
    "ŉ",
    "İ",
]
PIECES += [
    "'",
    "’",
    "`",
    "-",
    "‐",
    "/",
    ",",
    ".",
    "_",
    " ",
    "  ",
    "\n",
    "\t",
    "\u00a0",
    "😀",
    "\ud800",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def words_of(text: str) -> Words:
    return Tokenizer().words(text)


def spans(words: Words) -> list[tuple[int, int]]:
    return [
        (start, end)
        for start, end, first in zip(words.start, words.end, words.first, strict=True)
        if first
    ]


@given(st.one_of(TEXTS, st.text(max_size=12)))
def test_words_between_two_bounds_are_those_of_the_normal_form(text: str) -> None:
    words = words_of(text)
    for i in np.flatnonzero(words.first):
        for j in np.flatnonzero(words.last[i:]) + i:
            key = words.hash[i : i + 1]
            for k in range(i + 1, j + 1):
                key = extend(key, words.hash[k : k + 1])
            form = normal_form(text[words.start[i] : words.end[j]])
            assert key.tolist() == phrase_keys([form]).tolist()


@given(st.one_of(TEXTS, st.text(max_size=12)))
def test_tokens_are_disjoint_and_cover_all_that_has_a_letter_or_digit(text: str) -> None:
    words = words_of(text)
    covered = np.zeros(len(text) + 1, dtype=np.int64)
    for start, end in spans(words):
        assert start < end
        covered[start:end] += 1
    assert covered.max() <= 1
    left = "".join(" " if inside else c for c, inside in zip(text, covered[:-1], strict=True))
    for piece in left.split():  # apostrophes, and the s of a possessive
        form = normal_form(piece)
        assert form == "s" or not any(map(str.isalnum, form))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Crohn's disease", ["Crohn", "disease"]),
        ("CROHN’S", ["CROHN"]),
        ("'quoted' patients'", ["quoted", "patients"]),
        ("co-trimoxazole, 5-HT", ["co", "trimoxazole", "5", "HT"]),
        ("TGFβ1 and e\u0301tude", ["TGFβ1", "and", "e\u0301tude"]),
        ("O'Neill 's", ["O'Neill", "s"]),
        (" \n ", []),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in spans(words_of(text))] == expected


def test_a_token_of_several_words_is_not_cut() -> None:
    words = words_of("TGFβ1")
    assert words.first.tolist() == [True, False, False]
    assert words.last.tolist() == [False, False, True]
    assert set(zip(words.start.tolist(), words.end.tolist(), strict=True)) == {(0, 5)}


def test_words_as_written_tell_equivalents_apart() -> None:
    renal, kidney, kidneys = (words_of(text) for text in ("renal", "kidney", "kidneys"))
    assert renal.hash.tolist() == kidney.hash.tolist() == kidneys.hash.tolist()
    at = np.zeros(1, dtype=np.int64)
    assert plain_keys(kidney, at, 1) == plain_keys(kidneys, at, 1) != plain_keys(renal, at, 1)


def test_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "chronic heart failure of β cells in Crohn's disease"
    expected = words_of(text)
    monkeypatch.setattr(tokens, "LARGEST_VOCABULARY", 2)
    tokenizer = Tokenizer()
    for _ in range(3):
        found = tokenizer.words(text)
        for name, array in vars(expected).items():
            assert np.array_equal(array, getattr(found, name))
