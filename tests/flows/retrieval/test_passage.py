"""Texts cut into passages."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.retrieval.passage import Span, cut_passages

TEXT = "One two. Three four five. Six.\nSeven eight."
SENTENCES = [(0, 8), (9, 25), (26, 30), (31, 43)]


def words(spans: list[Span], text: str = TEXT) -> list[str]:
    return [text[start:end] for start, end in spans]


def test_sentences_fill_a_passage() -> None:
    assert words(cut_passages(TEXT, SENTENCES, [], 30)) == [
        "One two. Three four five. Six.",
        "Seven eight.",
    ]
    assert cut_passages(TEXT, SENTENCES, [], 1000) == [(0, 43)]


def test_sections_begin_passages() -> None:
    # The second section lies in the first, which goes on after it.
    assert words(cut_passages(TEXT, SENTENCES, [(0, 43), (9, 26)], 1000)) == [
        "One two.",
        "Three four five.",
        "Six.\nSeven eight.",
    ]


def test_long_sentence_is_cut_at_white_space() -> None:
    assert words(cut_passages(TEXT, SENTENCES, [], 11)) == [
        "One two.",
        "Three four",
        "five. Six.",
        "Seven",
        "eight.",
    ]
    assert words(cut_passages("abcdefgh ij", [], [], 4), "abcdefgh ij") == ["abcd", "efgh", "ij"]


def test_text_without_sentences_and_blank_text() -> None:
    assert words(cut_passages(TEXT, [], [], 20)) == [
        "One two. Three four",
        "five. Six.\nSeven",
        "eight.",
    ]
    assert cut_passages("", [], [], 20) == []
    assert cut_passages(" \n ", [(0, 3)], [], 20) == []


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[Span], list[Span], int]:
    text = draw(st.text(alphabet="ab. \n\té💊", max_size=80))
    places = st.integers(0, len(text))
    spans = st.tuples(places, places).map(lambda pair: (min(pair), max(pair)))
    cuts = sorted(draw(st.sets(places, max_size=8)))
    sentences = [span for span in itertools.pairwise(cuts) if draw(st.booleans())]
    sections = draw(st.lists(spans, max_size=4))
    return text, sentences, sections, draw(st.integers(1, 30))


@given(cases())
def test_passages_hold_all_words_once(case: tuple[str, list[Span], list[Span], int]) -> None:
    text, sentences, sections, limit = case
    passages = cut_passages(text, sentences, sections, limit)
    reached = 0
    for start, end in passages:
        assert not text[reached:start].strip(), "words between passages are lost"
        assert reached <= start < end <= len(text)
        assert end - start <= limit
        assert text[start:end] == text[start:end].strip()
        reached = end
    assert not text[reached:].strip()


@given(cases())
def test_no_passage_goes_on_in_another_section(
    case: tuple[str, list[Span], list[Span], int],
) -> None:
    text, sentences, sections, _ = case
    begins = [
        end - len(text[start:end].lstrip()) for start, end in sentences if text[start:end].strip()
    ]
    bounds = [bound for section in sections for bound in section]
    for start, end in cut_passages(text, sentences, sections, limit=len(text) + 1):
        for bound in bounds:
            assert not [place for place in begins if start < bound <= place < end]


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_limits_are_kept_with_any_white_space(limit: int) -> None:
    text = "a\u00a0b\u2003cc  dd\r\nee"
    assert all(end - start <= limit for start, end in cut_passages(text, [], [], limit))
