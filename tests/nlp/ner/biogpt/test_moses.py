"""Moses' words, and the places their characters have in the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.ner.biogpt.characters import ALPHABETIC, ALPHANUMERIC, LOWER, NUMBERS
from nlp.ner.biogpt.moses import cut_words, spell


def _written(text: str) -> list[str]:
    return [spell(word)[0] for word in cut_words(text)[0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("it's", "it &apos;s"),
        ("Dr. Smith's", "Dr. Smith &apos;s"),
        ("mg. The 5,300, and 3.5.", "mg . The 5,300 , and 3.5 ."),
        ("No. 7 is No. one. No.", "No. 7 is No. one . No ."),
        ("vs. i.e. U.S. Army", "vs. i.e. U.S. Army"),
        ("up. and Up. And", "up. and Up . And"),
        ("aspirin-induced 5-HT - x-", "aspirin @-@ induced 5 @-@ HT - x-"),
        ("wait... what..", "wait ... what .."),
        ("<b> & | [x]", "&lt; b &gt; &amp; &#124; &#91; x &#93;"),
        ("&amp; @-@", "&amp; amp ; @ - @"),
        ("said 'so.'", "said &apos; so . &apos;"),
        ("5,,,5", "5 , , ,5"),
        ("a\x00b \t\n\xa0 c", "ab c"),
        ("中文", "中 文"),
        ("", ""),
        (" \n\x00", ""),
        (".", "."),
    ],
)
def test_words(text: str, words: str) -> None:
    assert _written(text) == words.split()


def test_places_skip_what_moses_removes() -> None:
    assert cut_words("\x00 a\x07b.\nC") == (["ab", ".", "C"], [2, 4, 5, 7])


def test_a_rewritten_character_has_the_range_it_came_from() -> None:
    spelling, starts, ends = spell("'s")
    assert spelling == "&apos;s"
    assert list(starts) == [0, 0, 0, 0, 0, 0, 1]
    assert list(ends) == [1, 1, 1, 1, 1, 1, 2]


def test_what_moses_takes_for_hidden_dots() -> None:
    spelling, starts, ends = spell("xDOTDOTMULTIy")
    assert (spelling, list(starts), list(ends)) == ("x..y", [0, 1, 1, 12], [1, 12, 12, 13])


@settings(max_examples=1_000, deadline=None)
@given(data=st.data())
def test_words_are_the_published_ones(
    data: st.DataObject,
    hard_texts: st.SearchStrategy[str],
    published_words: Callable[[str], list[str]],
) -> None:
    text = data.draw(hard_texts)
    assert _written(text) == published_words(text)


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_places_count_every_character_once(
    data: st.DataObject, hard_texts: st.SearchStrategy[str]
) -> None:
    text = data.draw(hard_texts)
    words, places = cut_words(text)
    kept = [text[place] for place in places]
    for char, source in zip("".join(words), kept, strict=True):
        assert char == source or (char, source) in {("\x01", "-"), ("\x02", ".")}
    assert places == sorted(set(places))
    assert kept == [c for c in text if c > "\x1f" and not c.isspace()]


def test_character_classes_are_the_published_ones(sacremoses: Any) -> None:
    published = sacremoses.MosesTokenizer
    assert set(published.IsAlpha) == ALPHABETIC
    assert set(published.IsAlnum) == ALPHANUMERIC
    assert set(published.IsLower) == LOWER
    assert set(published.IsN) - {"\n"} == NUMBERS  # no line end is left where it is asked for
