"""Windows tile their sequence; batches stay within the budget and lose nothing."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.ner.windows import Window, batch_windows, cut_windows


@st.composite
def cuts(draw: st.DrawFn) -> tuple[int, int, int]:
    size = draw(st.integers(1, 40))
    return draw(st.integers(0, 300)), size, draw(st.integers(0, size - 1))


@given(cuts())
def test_kept_ranges_tile_the_sequence(cut: tuple[int, int, int]) -> None:
    length, size, overlap = cut
    windows = cut_windows(length, size, overlap, sequence=7)
    kept = [i for w in windows for i in range(w.keep_start, w.keep_end)]
    assert kept == list(range(length))
    for window in windows:
        assert window.sequence == 7
        assert 0 <= window.start <= window.keep_start < window.keep_end <= window.end <= length
        assert len(window) <= size


@given(cuts())
def test_neighbours_share_the_overlap(cut: tuple[int, int, int]) -> None:
    windows = cut_windows(*cut)
    for left, right in itertools.pairwise(windows):
        assert left.end - right.start >= cut[2]


@given(cuts())
def test_each_token_is_kept_where_it_is_most_central(cut: tuple[int, int, int]) -> None:
    windows = cut_windows(*cut)

    def distance(window: Window, token: int) -> int:
        return abs(2 * token - (window.start + window.end - 1))

    for window in windows:
        for token in range(window.keep_start, window.keep_end):
            holding = [w for w in windows if w.start <= token < w.end]
            assert distance(window, token) == min(distance(w, token) for w in holding)


def test_fitting_sequence_is_one_window() -> None:
    assert cut_windows(10, 10, 4) == [Window(0, 0, 10, 0, 10)]
    assert len(cut_windows(11, 10, 4)) == 2


def test_empty_sequence_has_no_window() -> None:
    assert cut_windows(0, 10, 4) == []


@pytest.mark.parametrize("overlap", [-1, 10, 11])
def test_impossible_overlap_is_refused(overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        cut_windows(100, 10, overlap)


windows_of_texts = st.lists(st.integers(0, 90), max_size=12).map(
    lambda lengths: [w for i, n in enumerate(lengths) for w in cut_windows(n, 20, 5, i)]
)


@given(windows_of_texts, st.integers(1, 120), st.integers(0, 3))
def test_batches_hold_all_windows_within_the_budget(
    windows: list[Window], budget: int, specials: int
) -> None:
    batches = batch_windows(windows, budget, specials)
    flat = [w for batch in batches for w in batch]
    assert sorted(flat, key=lambda w: (w.sequence, w.start)) == windows
    for batch in batches:
        longest = max(len(w) for w in batch) + specials
        assert len(batch) == 1 or len(batch) * longest <= budget


@given(windows_of_texts, st.integers(1, 120))
def test_batches_do_not_depend_on_input_order(windows: list[Window], budget: int) -> None:
    assert batch_windows(windows[::-1], budget) == batch_windows(windows, budget)
    lengths = [len(w) for batch in batch_windows(windows, budget) for w in batch]
    assert lengths == sorted(lengths, reverse=True)


def test_a_batch_is_filled_before_the_next_is_opened() -> None:
    windows = [Window(i, 0, 5, 0, 5) for i in range(5)]
    assert [len(b) for b in batch_windows(windows, 10)] == [2, 2, 1]
