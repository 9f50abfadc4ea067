"""Names as phrases: what is found by its words, and what may not serve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontologies.normalise import normal_form
from ontologies.phrases import (
    MAX_WORDS,
    PhraseIndex,
    extend,
    find_phrases,
    fold_word,
    join_phrases,
    may_hold,
    phrase_keys,
    phrase_rows,
    word_hash,
)

WORDS = st.sampled_from(["pain", "pains", "renal", "kidney", "nephropathy", "disease", "ii", "b"])
PHRASES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)


def index(*names: str, loose: Sequence[bool] | None = None) -> PhraseIndex:
    flags = np.array(loose or [False] * len(names), dtype=np.bool_)
    return join_phrases([phrase_rows(0, names, [normal_form(name) for name in names], flags)])


def found(phrases: PhraseIndex, *asked: str) -> list[tuple[int, int]]:
    query, row = find_phrases(phrases, phrase_keys([normal_form(text) for text in asked]))
    return list(zip(query.tolist(), phrases.name[row].tolist(), strict=True))


def folded(phrase: str) -> list[str]:
    return [part for word in phrase.split() for part in fold_word(word).split()]


@given(st.lists(PHRASES, max_size=8), st.lists(PHRASES, max_size=8))
def test_names_with_the_same_folded_words_in_order_are_found_and_no_other(
    names: list[str], asked: list[str]
) -> None:
    expected = [
        (q, n)
        for q, text in enumerate(asked)
        for n, name in enumerate(names)
        if folded(text) == folded(name)
    ]
    assert found(index(*names), *asked) == expected


@given(st.lists(PHRASES, min_size=1, max_size=20))
def test_every_key_passes_the_bits(names: list[str]) -> None:
    phrases = index(*names)
    assert may_hold(phrases, phrases.key).all()
    assert (np.diff(phrases.key.astype(object)) >= 0).all()


def test_most_other_keys_do_not_pass_the_bits() -> None:
    phrases = index(*(f"name{i}" for i in range(1000)))
    other = phrase_keys([f"other{i}" for i in range(10_000)])
    assert may_hold(phrases, other).mean() < 1 / 14


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Neoplasms", "neoplasm"),
        ("Breast Neoplasms", "breast cancer"),
        ("Kidney Failure", "renal failure"),
        ("Kidney Diseases", "nephropathy"),
        ("Anemia", "anaemia"),
        ("Crohn Disease", "Crohn's disease"),
        ("Diabetes Mellitus, Type 2", "type II diabetes mellitus"),
        ("Diabetes Mellitus, Type 2", "diabetes mellitus type 2"),
    ],
)
def test_what_is_written_otherwise_is_found(name: str, text: str) -> None:
    assert found(index(name), text) == [(0, 0)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Lung Injury", "lung lesion"),
        ("Heart Attack", "attack heart"),
        ("A, B, C Syndrome", "B, C Syndrome A"),
    ],
)
def test_what_means_something_else_is_not_found(name: str, text: str) -> None:
    assert found(index(name), text) == []


def test_names_that_may_not_serve() -> None:
    long = " ".join(["word"] * (MAX_WORDS + 1))
    names = ["Asthma", "Wheezing", "1,234", "+/-", long]
    phrases = index(*names, loose=[False, True, False, False, False])
    assert phrases.name.tolist() == [0]


def test_no_names() -> None:
    phrases = index()
    assert len(phrases.key) == 0
    assert found(phrases, "asthma") == []
    assert not may_hold(phrases, phrase_keys(["asthma"])).any()


@given(st.lists(PHRASES, max_size=12), st.integers(min_value=1, max_value=5))
def test_built_in_chunks_it_is_the_same(names: list[str], size: int) -> None:
    whole = index(*names)
    chunks = join_phrases(
        phrase_rows(first, part, part, np.zeros(len(part), dtype=np.bool_))
        for first in range(0, len(names), size)
        for part in [names[first : first + size]]
    )
    for name, array in vars(whole).items():
        assert np.array_equal(array, getattr(chunks, name))


def test_keys_grow_word_by_word() -> None:
    hashes = [np.array([word_hash(word)], dtype=np.uint64) for word in ("heart", "attack")]
    assert extend(*hashes).tolist() == phrase_keys(["heart attack"]).tolist()


def test_hashes_are_stable() -> None:
    # A store built on one machine is read on another: BLAKE2b-64 of the UTF-8 word.
    assert word_hash("asthma") == int.from_bytes(bytes.fromhex("805b9e6fb910a35d"), "little")
