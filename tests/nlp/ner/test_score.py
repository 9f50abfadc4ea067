"""Strict span scores equal seqeval's on the same tags."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities

from nlp.ner.score import SpanScore, score_spans


@st.composite
def bio_sequence(draw: st.DrawFn, length: int) -> list[str]:
    tags: list[str] = []
    for _ in range(length):
        goes_on = [f"I-{tags[-1][2:]}"] if tags and tags[-1] != "O" else []
        tags.append(draw(st.sampled_from(["O", "B-A", "B-B", *goes_on, *goes_on])))
    return tags


@st.composite
def tagged_texts(draw: st.DrawFn) -> tuple[list[list[str]], list[list[str]]]:
    lengths = draw(st.lists(st.integers(0, 8), min_size=1, max_size=6))
    return (
        [draw(bio_sequence(length)) for length in lengths],
        [draw(bio_sequence(length)) for length in lengths],
    )


def _spans(tags: list[str]) -> set[tuple[int, int, str]]:
    return {(start, end + 1, label) for label, start, end in get_entities(tags)}


@given(tagged_texts())
def test_equals_seqeval(texts: tuple[list[list[str]], list[list[str]]]) -> None:
    gold, found = texts
    score = score_spans([_spans(t) for t in gold], [_spans(t) for t in found])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert score.precision == precision_score(gold, found)
        assert score.recall == recall_score(gold, found)
        assert score.f1 == pytest.approx(f1_score(gold, found), abs=1e-15)


def test_offsets_and_label_must_all_agree() -> None:
    gold = [{(0, 5, "A"), (8, 9, "B")}, {(0, 1, "A")}]
    found = [{(0, 5, "B"), (8, 9, "B"), (0, 4, "A")}, set()]
    assert score_spans(gold, found) == SpanScore(gold=3, found=3, agreed=1)


def test_nothing_gold_and_nothing_found() -> None:
    score = score_spans([set()], [set()])
    assert (score.precision, score.recall, score.f1) == (0.0, 0.0, 0.0)


def test_unequal_numbers_of_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        score_spans([set(), set()], [set()])
