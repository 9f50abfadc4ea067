"""Which mentions stay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nlp.dictionary.overlap import add_dictionaries, longest
from nlp.ner.decode import Span

SPANS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 6)).map(lambda p: (p[0], p[0] + p[1])), max_size=12
)


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def spans(bounds: list[tuple[int, int]], label: str = "Disease") -> list[Span]:
    return [Span(start, end, label, 1.0) for start, end in bounds]


@given(SPANS)
def test_the_longest_wins_then_the_earlier(given_spans: list[tuple[int, int]]) -> None:
    kept: list[int] = []
    order = sorted(
        range(len(given_spans)),
        key=lambda i: (given_spans[i][0] - given_spans[i][1], given_spans[i][0], i),
    )
    for i in order:
        if not any(overlap(given_spans[i], given_spans[j]) for j in kept):
            kept.append(i)
    assert longest(given_spans) == sorted(kept)


@given(SPANS, SPANS, SPANS)
def test_models_stand_and_dictionaries_fill_what_is_left(
    of_models: list[tuple[int, int]], first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    mentions = [(span, 0) for span in sorted(spans(of_models), key=lambda s: (s.start, s.end))]
    found = add_dictionaries(mentions, [spans(first, "Finding"), spans(second, "Procedure")], 1)
    assert [pair for pair in found if pair[1] == 0] == mentions
    added = [(span.start, span.end) for span, source in found if source]
    pool = [*first, *second]
    assert sorted(added) == sorted(
        pool[i] for i in longest(pool) if not any(overlap(pool[i], m) for m in of_models)
    )
    bounds = [(span.start, span.end) for span, _ in found]
    assert bounds == sorted(bounds)


def test_of_one_place_the_dictionary_named_first_stays() -> None:
    found = add_dictionaries([], [spans([(0, 4)], "Finding"), spans([(0, 4)], "Procedure")], 2)
    assert found == [(Span(0, 4, "Finding", 1.0), 2)]


def test_a_longer_match_that_gives_way_takes_the_shorter_along() -> None:
    model = [(Span(0, 5, "Chemical", 0.9), 0)]
    assert add_dictionaries(model, [spans([(0, 12), (6, 12)])], 1) == model
