"""Case classes of words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.ner.features import (
    CAPITALISED,
    CASE_CLASSES,
    LOWER,
    MIXED,
    SINGLE_UPPER,
    UPPER,
    word_case,
)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("aspirin", LOWER),
        ("p53", LOWER),
        ("12", LOWER),
        ("-", LOWER),
        ("中文", LOWER),
        ("Aspirin", CAPITALISED),
        ("5Fluorouracil", CAPITALISED),
        ("Étude", CAPITALISED),
        ("DNA", UPPER),
        ("IL2", UPPER),
        ("B", SINGLE_UPPER),
        ("P53", SINGLE_UPPER),
        ("mRNA", MIXED),
        ("NaCl", MIXED),
        ("pH", MIXED),
    ],
)
def test_class_of_a_word(word: str, expected: int) -> None:
    assert word_case(word, np.array([0]), np.array([len(word)])).tolist() == [expected]


def _by_definition(word: str) -> int:
    letters = [c for c in word if c.isalpha()]
    upper = [c for c in letters if c.isupper()]
    if not upper:
        return LOWER
    if len(upper) == len(letters):
        return UPPER if len(letters) > 1 else SINGLE_UPPER
    return CAPITALISED if len(upper) == 1 and letters[0].isupper() else MIXED


@given(st.lists(st.text("aB1éÉß中-ǅ𝐀", min_size=1, max_size=5), max_size=6))
def test_each_word_has_its_own_class(words: list[str]) -> None:
    text = " ".join(words)
    ends = np.cumsum([len(w) + 1 for w in words]) - 1 if words else np.empty(0, dtype=np.int64)
    starts = np.array([e - len(w) for e, w in zip(ends, words, strict=True)], dtype=np.int64)
    classes = word_case(text, starts, ends)
    assert classes.tolist() == [_by_definition(word) for word in words]
    assert all(0 <= c < CASE_CLASSES for c in classes)
