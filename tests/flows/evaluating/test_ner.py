"""Span scores are those of seqeval and of the scorer in nlp, and overlaps are paired well."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import classification_report

from flows.evaluating.ner import overlapping_pairs, spans_by_label
from flows.evaluating.run import evaluate
from flows.evaluating.scores import MICRO, Score, count_sets, score
from flows.readers.gold import GoldMention, read_gold_file
from flows.readers.iob import tag_spans
from nlp.ner.score import score_spans
from tests.flows.evaluating.requests import request

Tags = list[str]

TAGS = ("O", "B-Disease", "I-Disease", "B-Chemical", "I-Chemical")

sentences = st.lists(
    st.integers(1, 12).flatmap(
        lambda length: st.tuples(
            *[st.lists(st.sampled_from(TAGS), min_size=length, max_size=length)] * 2
        )
    ),
    min_size=1,
    max_size=8,
)


def spans(tags: Tags) -> dict[str, set[tuple[int, int]]]:
    return spans_by_label(GoldMention(s, e, "", label) for s, e, label in tag_spans(tags))


def strict_scores(gold: list[Tags], found: list[Tags], labels: list[str]) -> list[Score]:
    counts = count_sets("strict", [spans(t) for t in gold], [spans(t) for t in found], labels)
    return score(counts, resamples=1, seed=0)


def assert_equals_seqeval(scores: list[Score], gold: list[Tags], found: list[Tags]) -> None:
    """Per type and micro, to the last digit but for the order of floating-point operations."""
    report = classification_report(gold, found, output_dict=True, zero_division=0)
    names = {"precision": "precision", "recall": "recall", "f1": "f1-score"}
    for found_score in scores:
        row = report["micro avg" if found_score.label == MICRO else found_score.label]
        expected = row[names[found_score.measure]]
        assert found_score.value == pytest.approx(float(expected), rel=1e-12, abs=1e-12)
        assert found_score.gold == row["support"]


@given(sentences=sentences)
@settings(max_examples=150, deadline=None)
def test_random_tags_score_as_in_seqeval(sentences: list[tuple[Tags, Tags]]) -> None:
    gold = [tags for tags, _ in sentences]
    found = [tags for _, tags in sentences]
    labels = sorted({label for t in gold + found for _, _, label in tag_spans(t)})
    if labels:
        assert_equals_seqeval(strict_scores(gold, found, labels), gold, found)


@given(sentences=sentences)
@settings(max_examples=50, deadline=None)
def test_random_tags_score_as_in_training(sentences: list[tuple[Tags, Tags]]) -> None:
    gold = [set(tag_spans(tags)) for tags, _ in sentences]
    found = [set(tag_spans(tags)) for _, tags in sentences]
    micro = [
        s
        for s in strict_scores(
            [g for g, _ in sentences], [f for _, f in sentences], ["Chemical", "Disease"]
        )
        if s.label == MICRO
    ]
    expected = score_spans(gold, found)
    assert [s.value for s in micro] == pytest.approx(
        [expected.precision, expected.recall, expected.f1]
    )
    assert (micro[0].gold, micro[0].found, micro[0].agreed) == (
        expected.gold,
        expected.found,
        expected.agreed,
    )


def character_tags(length: int, mentions: set[tuple[int, int]], label: str) -> Tags:
    tags = ["O"] * length
    for start, end in mentions:
        assert tags[start:end] == ["O"] * (end - start), "mentions of one label overlap"
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


def test_real_predictions_score_as_in_seqeval(data_dir: Path) -> None:
    """A real model on real abstracts; each label of each abstract is a sequence of characters."""
    path = data_dir / "corpora" / "bc5cdr_dev.pubtator.gz"
    (judgement,) = evaluate("ner", request(path, limit=6), prefect=False, quiet=True).corpora
    documents = {f"bc5cdr_dev:{d.native_id}": d for d in read_gold_file(path)}
    gold, found = [], []
    for document_id in list(documents)[:6]:
        document = documents[document_id]
        wanted = spans_by_label(document.mentions)
        rows = judgement.predictions.filter(document_id=document_id).iter_rows()
        there = spans_by_label(GoldMention(s, e, "", label) for _, s, e, label, _ in rows)
        for label in ("Chemical", "Disease"):
            gold.append(character_tags(len(document.text), wanted.get(label, set()), label))
            found.append(character_tags(len(document.text), there.get(label, set()), label))
    strict = [s for s in judgement.scores if s.scope == "strict"]
    assert strict[0].gold > 10
    assert strict[0].agreed > 5
    assert_equals_seqeval(strict, gold, found)


def most_pairs(gold: list[tuple[int, int]], found: list[tuple[int, int]]) -> int:
    """The largest number of pairs, by trying everything."""
    if not gold:
        return 0
    (start, end), *rest = gold
    best = most_pairs(rest, found)
    for place, (first, last) in enumerate(found):
        if first < end and start < last:
            best = max(best, 1 + most_pairs(rest, found[:place] + found[place + 1 :]))
    return best


span = st.tuples(st.integers(0, 20), st.integers(1, 6)).map(lambda s: (s[0], s[0] + s[1]))


@st.composite
def disjoint(draw: st.DrawFn) -> set[tuple[int, int]]:
    """Spans as a model finds them: those of one label never overlap."""
    kept: set[tuple[int, int]] = set()
    for start, end in draw(st.lists(span, max_size=5)):
        if all(end <= first or last <= start for first, last in kept):
            kept.add((start, end))
    return kept


@given(gold=st.sets(span, max_size=5), found=disjoint())
@settings(max_examples=200, deadline=None)
def test_as_many_overlaps_are_paired_as_can_be(
    gold: set[tuple[int, int]], found: set[tuple[int, int]]
) -> None:
    assert overlapping_pairs(gold, found) == most_pairs(sorted(gold), sorted(found))


def test_a_span_over_everything_counts_once() -> None:
    assert overlapping_pairs({(0, 5), (10, 15), (20, 25)}, {(0, 30)}) == 1


def test_spans_that_touch_do_not_overlap() -> None:
    assert overlapping_pairs({(0, 5)}, {(5, 9)}) == 0
