"""Intervals hold their value, repeat with the seed, and are as wide as theory says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flows.evaluating import bootstrap
from flows.evaluating.bootstrap import interval, resample_totals
from flows.evaluating.scores import Counts, score

COLUMNS = ("gold", "found", "agreed")

tables = st.integers(1, 12).flatmap(
    lambda documents: arrays(np.int64, (documents, 2, 3), elements=st.integers(0, 9))
)


def counts(values: np.ndarray) -> Counts:
    agreed = values.min(axis=2)
    values[..., 2] = agreed
    return Counts("strict", ("A", "B"), COLUMNS, values)


@given(values=tables, seed=st.integers(0, 3), resamples=st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_every_interval_holds_its_value(values: np.ndarray, seed: int, resamples: int) -> None:
    for found in score(counts(values), resamples=resamples, seed=seed):
        assert 0 <= found.low <= found.value <= found.high <= 1


@given(values=tables)
@settings(max_examples=20, deadline=None)
def test_the_same_seed_gives_the_same_interval(values: np.ndarray) -> None:
    once = score(counts(values), resamples=50, seed=7)
    assert score(counts(values), resamples=50, seed=7) == once


def test_another_seed_draws_other_documents() -> None:
    values = np.arange(60).reshape(20, 1, 3)
    assert (resample_totals(values, 50, 1) != resample_totals(values, 50, 2)).any()


def test_each_draw_takes_as_many_documents_as_there_are() -> None:
    totals = resample_totals(np.ones((17, 2), dtype=np.int64), 40, 0)
    assert totals.shape == (40, 2)
    assert (totals == 17).all()


def test_draws_in_pieces_are_draws_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_CELLS", 30)
    totals = resample_totals(np.arange(10).reshape(10, 1), 25, 0)
    assert totals.shape == (25, 1)
    assert len(np.unique(totals)) > 5


def test_one_document_leaves_no_doubt() -> None:
    for found in score(counts(np.array([[[4, 5, 3], [2, 0, 0]]])), resamples=30, seed=0):
        assert found.low == found.value == found.high


def test_documents_that_agree_leave_no_doubt() -> None:
    values = np.tile([[4, 5, 3], [1, 1, 1]], (25, 1, 1))
    for found in score(counts(values), resamples=30, seed=0):
        assert found.low == pytest.approx(found.value) == pytest.approx(found.high)


def test_what_is_not_defined_is_nought_without_doubt() -> None:
    by_name = {
        (s.label, s.measure): s
        for s in score(counts(np.array([[[3, 0, 0], [0, 0, 0]]] * 5)), resamples=30, seed=0)
    }
    nothing_found = by_name["A", "precision"]
    assert (nothing_found.value, nothing_found.low, nothing_found.high) == (0, 0, 0)
    assert by_name["B", "recall"].value == 0


def test_draws_in_which_a_measure_is_not_defined_are_left_out() -> None:
    samples = np.array([math.nan, 0.5, 0.5, math.nan])
    assert interval(samples, 0.5) == (0.5, 0.5)
    assert interval(np.array([math.nan]), 0.0) == (0.0, 0.0)


def test_width_is_that_of_a_share_of_independent_documents() -> None:
    """Half of 400 documents right: the 95% interval is 0.5 +- 1.96 sqrt(0.25 / 400)."""
    values = np.zeros((400, 1, 3), dtype=np.int64)
    values[:, 0] = (1, 1, 0)
    values[:200, 0, 2] = 1
    share = Counts("strict", ("A",), COLUMNS, values)
    recall = next(s for s in score(share, resamples=4000, seed=0) if s.measure == "recall")
    half = 1.96 * math.sqrt(0.25 / 400)
    assert recall.low == pytest.approx(0.5 - half, abs=0.006)
    assert recall.high == pytest.approx(0.5 + half, abs=0.006)
