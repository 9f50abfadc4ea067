"""Calibration: the curve sets scores right, and the error says how wrong they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.ner.chain import Calibration
from nlp.ner.training.calibrate import apply, calibration_error, fit


def _judged(slope: float, intercept: float, count: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose true chance of being right is a known curve of them."""
    rng = np.random.default_rng(1)
    scores = rng.uniform(0.02, 0.98, count)
    truth = apply(scores, Calibration(slope, intercept))
    return scores, (rng.random(count) < truth).astype(float)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 0.3), (2.0, -1.0)])
def test_the_curve_is_found_again(slope: float, intercept: float) -> None:
    curve = fit(*_judged(slope, intercept))
    assert curve.slope == pytest.approx(slope, rel=0.15)
    assert curve.intercept == pytest.approx(intercept, abs=0.15)


def test_overconfident_scores_get_a_smaller_error() -> None:
    scores, right = _judged(0.4, -0.2)
    after = apply(scores, fit(scores, right))
    assert calibration_error(scores, right) > 0.08
    assert calibration_error(after, right) < 0.03


def test_error_of_certain_and_right_scores_is_nothing() -> None:
    assert calibration_error(np.ones(5), np.ones(5)) == 0.0
    assert calibration_error(np.ones(4), np.zeros(4)) == 1.0
    assert calibration_error(np.empty(0), np.empty(0)) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40))
def test_any_scores_give_a_rising_curve(rows: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in rows])
    right = np.array([float(good) for _, good in rows])
    curve = fit(scores, right)
    assert np.isfinite([curve.slope, curve.intercept]).all()
    after = apply(np.sort(scores), curve)
    assert (np.diff(after) >= 0).all()
