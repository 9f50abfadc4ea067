"""Byte-pair merges: the pieces do not depend on how they are found."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nlp.ner.biogpt.merges import merge_word

Ranks = dict[tuple[str, str], int]


def _merge_by_definition(word: str, ranks: Ranks) -> list[str]:
    pieces = [*word[:-1], word[-1] + "</w>"]
    while known := [pair for pair in pairwise(pieces) if pair in ranks]:
        first, second = min(known, key=lambda pair: ranks[pair])
        joined = []
        while pieces:
            size = 2 if pieces[:2] == [first, second] else 1
            joined.append("".join(pieces[:size]))
            del pieces[:size]
        pieces = joined
    return pieces


def _ranks(*pairs: tuple[str, str]) -> Ranks:
    return {pair: rank for rank, pair in enumerate(pairs)}


def test_pieces_begin_where_they_came_from() -> None:
    ranks = _ranks(("e", "r"), ("f", "e"), ("v", "er</w>"), ("e", "r</w>"))
    assert merge_word("fever", ranks) == [("fe", 0), ("ver</w>", 2)]


def test_one_character() -> None:
    assert merge_word("x", {}) == [("x</w>", 0)]


def test_a_pair_is_joined_everywhere_before_the_next() -> None:
    ranks = _ranks(("b", "c"), ("abc", "a"), ("a", "bc"))  # the second comes about by the third
    assert merge_word("abcabcd", ranks) == [("abc", 0), ("abc", 3), ("d</w>", 6)]


def test_overlapping_places_are_joined_from_the_left() -> None:
    assert merge_word("aaaab", _ranks(("a", "a"))) == [("aa", 0), ("aa", 2), ("b</w>", 4)]
    assert merge_word("aaab", _ranks(("a", "a"))) == [("aa", 0), ("a", 2), ("b</w>", 3)]


@given(
    word=st.text("ab", min_size=1, max_size=24),
    pairs=st.lists(
        st.tuples(*[st.sampled_from(["a", "b", "a</w>", "aa", "ab", "ba", "aba", "bab</w>"])] * 2),
        unique=True,
        max_size=20,
    ),
)
def test_pieces_are_those_of_the_definition(word: str, pairs: list[tuple[str, str]]) -> None:
    ranks = _ranks(*pairs)
    merged = merge_word(word, ranks)
    assert [piece for piece, _ in merged] == _merge_by_definition(word, ranks)
    places = [place for _, place in merged]
    lengths = [len(piece.removesuffix("</w>")) for piece, _ in merged]
    assert places == [sum(lengths[:index]) for index in range(len(lengths))]


def test_a_word_of_any_length() -> None:
    ranks = _ranks(("a", "c"), ("g", "t"), ("ac", "gt"), ("acgt", "acgt"))
    merged = merge_word("acgt" * 10_000 + "x", ranks)
    assert merged[:2] == [("acgtacgt", 0), ("acgtacgt", 8)]
    assert len(merged) == 5_001
