"""Population stability index and Jensen-Shannon distance: what holds of all distributions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from flows.quality.divergence import (
    SMOOTHING,
    jensen_shannon_distance,
    population_stability_index,
)

COUNTS = st.dictionaries(st.integers(0, 10), st.integers(0, 1_000_000), max_size=11).filter(
    lambda counts: sum(counts.values()) > 0
)


@settings(max_examples=60)
@given(COUNTS, st.integers(1, 1_000))
def test_equal_shares_are_no_drift(counts: dict[int, int], times: int) -> None:
    more = {key: count * times for key, count in counts.items()}
    assert population_stability_index(counts, more) == pytest.approx(0, abs=1e-9)
    assert jensen_shannon_distance(counts, more) == pytest.approx(0, abs=1e-7)


@settings(max_examples=60)
@given(COUNTS, COUNTS)
def test_either_way_round(before: dict[int, int], after: dict[int, int]) -> None:
    for measure in (population_stability_index, jensen_shannon_distance):
        assert measure(before, after) == pytest.approx(measure(after, before), abs=1e-12)


@settings(max_examples=60)
@given(COUNTS, COUNTS)
def test_bounds(before: dict[int, int], after: dict[int, int]) -> None:
    psi, distance = (
        population_stability_index(before, after),
        jensen_shannon_distance(before, after),
    )
    assert psi is not None and distance is not None
    assert 0 <= psi < 2 * math.log(2 / SMOOTHING)
    assert 0 <= distance <= 1


@settings(max_examples=60)
@given(COUNTS, COUNTS)
def test_distance_is_that_of_scipy(before: dict[int, int], after: dict[int, int]) -> None:
    keys = sorted({*before, *after})
    p, q = ([side.get(key, 0) for key in keys] for side in (before, after))
    found = jensen_shannon_distance(before, after)
    assert found == pytest.approx(float(jensenshannon(p, q, base=2)), abs=1e-6)


@settings(max_examples=60)
@given(COUNTS, COUNTS, COUNTS)
def test_distance_is_a_metric(a: dict[int, int], b: dict[int, int], c: dict[int, int]) -> None:
    ab, bc, ac = (jensen_shannon_distance(*pair) for pair in ((a, b), (b, c), (a, c)))
    assert ab is not None and bc is not None and ac is not None
    assert ac <= ab + bc + 1e-9


def test_index_by_hand() -> None:
    """Two bins, 50:50 before and 60:40 after: 0.1 ln(1.2) + -0.1 ln(0.8)."""
    by_hand = 0.1 * math.log(1.2) - 0.1 * math.log(0.8)
    found = population_stability_index({0: 50, 1: 50}, {0: 60, 1: 40})
    assert found == pytest.approx(by_hand, rel=1e-3)
    assert population_stability_index({0: 1}, {1: 1}) == pytest.approx(
        2 / 1.0002 * math.log(1.0001 / 0.0001), rel=1e-9
    )


def test_disjoint_is_farthest_and_nothing_has_no_distance() -> None:
    assert jensen_shannon_distance({"a": 3}, {"b": 5}) == 1
    for measure in (population_stability_index, jensen_shannon_distance):
        assert measure({}, {"a": 1}) is None
        assert measure({"a": 1}, {"a": 0}) is None
