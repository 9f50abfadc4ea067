from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.assertion.marking import MOST_CONTEXT, mark
from nlp.assertion.result import Assessed, Range

MARKER = ("<<", ">>")


def marked(text: str, mention: Range, *sentences: Range) -> str:
    (found,) = mark(Assessed(text, [mention], sentences, []), MARKER)
    assert found.text[found.start : found.end] == f"<< {text[slice(*mention)]} >>"
    return found.text


@pytest.mark.parametrize(
    ("text", "mention", "expected"),
    [
        ("No fever.", (3, 8), "No << fever >>."),
        ("No fever today.", (3, 8), "No << fever >> today."),
        ("afebrile, non-tender", (14, 20), "afebrile, non- << tender >>"),
        ("painful", (0, 4), "<< pain >> ful"),
        ("No\nfever", (3, 8), "No\n<< fever >>"),
    ],
)
def test_marks_are_words_of_their_own(text: str, mention: Range, expected: str) -> None:
    assert marked(text, mention, (0, len(text))) == expected


def test_only_the_sentence_is_taken() -> None:
    text = "No cough. Fever. Pain."
    sentences = (0, 9), (10, 16), (17, 22)
    assert marked(text, (10, 15), *sentences) == "<< Fever >>."
    assert marked(text, (10, 21), *sentences) == "<< Fever. Pain >>."
    assert marked(text, (3, 8), *sentences[1:]) == "<< cough >>"
    assert marked(text, (17, 21), *sentences[:2]) == "<< Pain >>"


def test_context_is_bounded_and_begins_with_a_word() -> None:
    text = "word " * 2000 + "fever" + " then" * 2000
    found = marked(text, (10_000, 10_005), (0, len(text)))
    before, after = found.split("<< fever >>")
    assert set(before.split()) == {"word"}
    assert set(after.split()) == {"then"}
    assert MOST_CONTEXT - 10 < len(before) <= MOST_CONTEXT
    assert MOST_CONTEXT - 10 < len(after) <= MOST_CONTEXT


@given(st.text(min_size=1, max_size=40), st.data())
def test_nothing_but_marks_and_blanks_is_added(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text)), max_size=4)) | {0, len(text)})
    sentences = list(itertools.pairwise(cuts))
    (found,) = mark(Assessed(text, [(start, end)], sentences, []), MARKER)
    low = max(cut for cut in cuts if cut <= start)
    high = min(cut for cut in cuts if cut >= end)
    left, middle, right = (
        found.text[: found.start],
        found.text[found.start : found.end],
        found.text[found.end :],
    )
    assert middle == f"<< {text[start:end]} >>"
    assert left in (text[low:start], f"{text[low:start]} ")
    assert right in (text[end:high], f" {text[end:high]}")
