"""Mentions of several models: the written rule, in any order of the input."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nlp.ner.decode import Span
from nlp.ner.merge import FAINT, merge_spans

spans = st.builds(
    lambda start, length, label, score: Span(start, start + length, label, score),
    st.integers(0, 30),
    st.integers(1, 8),
    st.sampled_from("AB"),
    st.sampled_from([0.25, 0.5, 0.75]),
)
found_by_models = st.lists(st.lists(spans, max_size=8), max_size=3)


def _overlap(one: Span, other: Span) -> bool:
    return one.label == other.label and one.start < other.end and other.start < one.end


@given(found_by_models)
def test_nothing_overlaps_within_a_label_and_all_else_is_kept(found: list[list[Span]]) -> None:
    merged = merge_spans(found)
    for i, (one, model) in enumerate(merged):
        assert one in found[model]
        assert not any(_overlap(one, other) for other, _ in merged[i + 1 :])
    for lost in (span for row in found for span in row):
        longer = any(
            _overlap(lost, kept) and kept.end - kept.start >= lost.end - lost.start
            for kept, _ in merged
        )
        rivals = [
            s.score for row in found for s in row if (s.start, s.end) == (lost.start, lost.end)
        ]
        assert longer or lost.score < FAINT * max(rivals)


@given(found_by_models, st.randoms(use_true_random=False))
def test_order_within_a_model_does_not_matter(found: list[list[Span]], random: object) -> None:
    shuffled = [sorted(row, key=lambda _: random.random()) for row in found]  # type: ignore[attr-defined]
    assert merge_spans(shuffled) == merge_spans(found)


@given(found_by_models)
def test_result_is_in_text_order(found: list[list[Span]]) -> None:
    keys = [(s.start, s.end, s.label) for s, _ in merge_spans(found)]
    assert keys == sorted(set(keys))


def test_longest_wins_over_score_and_model() -> None:
    short, long = Span(0, 5, "A", 0.9), Span(3, 10, "A", 0.1)
    assert merge_spans([[short], [long]]) == [(long, 1)]


def test_higher_score_wins_among_equally_long() -> None:
    one, other = Span(0, 5, "A", 0.5), Span(2, 7, "A", 0.6)
    assert merge_spans([[one], [other]]) == [(other, 1)]


def test_first_model_wins_among_equals() -> None:
    span = Span(0, 5, "A", 0.5)
    assert merge_spans([[span], [span]]) == [(span, 0)]
    assert merge_spans([[], [span], [span]]) == [(span, 1)]


def test_labels_stand_side_by_side() -> None:
    chemical, disease = Span(0, 5, "A", 0.5), Span(0, 5, "B", 0.5)
    assert merge_spans([[disease], [chemical]]) == [(chemical, 1), (disease, 0)]


def test_a_faint_label_gives_way_on_the_very_same_span() -> None:
    gene, chemical = Span(0, 5, "Gene", 0.6), Span(0, 5, "Chemical", 0.9)
    assert merge_spans([[gene, chemical]]) == [(chemical, 0)]
    within = Span(0, 4, "Gene", 0.6)
    assert merge_spans([[within, chemical]]) == [(within, 0), (chemical, 0)]


def test_touching_mentions_are_both_kept() -> None:
    left, right = Span(0, 5, "A", 0.5), Span(5, 9, "A", 0.5)
    assert merge_spans([[right, left]]) == [(left, 0), (right, 0)]
