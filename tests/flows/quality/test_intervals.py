"""Score intervals against scipy's, and against those that Newcombe printed."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binomtest

from flows.quality.intervals import Interval, Share, difference_interval, wilson_interval

SHARES = st.builds(Share, st.floats(0, 1), st.integers(1, 10**9))


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    of = draw(st.integers(1, 2_000))
    return draw(st.integers(0, of)), of


@given(counts(), st.booleans())
@example((0, 1), True)
@example((1, 1), True)
@example((0, 20), False)
def test_scipy_has_the_same_interval(counted: tuple[int, int], continuity: bool) -> None:
    found, of = counted
    theirs = binomtest(found, of).proportion_ci(method="wilsoncc" if continuity else "wilson")
    ours = wilson_interval(Share(found / of, of), continuity=continuity)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@given(SHARES, st.booleans())
@example(Share(1.0, 3), False)
@example(Share(0.0, 3), False)
@example(Share(0.25, 1), True)
def test_a_share_is_in_its_interval(share: Share, continuity: bool) -> None:
    found = wilson_interval(share, continuity=continuity)
    assert 0 <= found.low <= share.value <= found.high <= 1
    plain = wilson_interval(share)
    assert found.low <= plain.low + 1e-12 and plain.high <= found.high + 1e-12


@given(SHARES, SHARES, st.booleans())
def test_a_change_is_in_its_interval_and_back_again_its_opposite(
    before: Share, after: Share, continuity: bool
) -> None:
    found = difference_interval(before, after, continuity=continuity)
    assert found.low <= after.value - before.value <= found.high
    back = difference_interval(after, before, continuity=continuity)
    assert Interval(-back.high, -back.low) == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize(
    ("one", "other", "plain", "corrected"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339), (0.0428, 0.3422)),
        ((9, 10), (3, 10), (0.1705, 0.8090), (0.1013, 0.8387)),
        ((6, 7), (2, 7), (0.0582, 0.8062), (-0.0290, 0.8423)),
        ((5, 56), (0, 29), (-0.0381, 0.1926), (-0.0667, 0.2037)),
        ((0, 10), (0, 20), (-0.1611, 0.2775), (-0.2005, 0.3445)),
        ((10, 10), (0, 20), (0.6791, 1.0), (0.6014, 1.0)),
    ],
)
def test_newcombe_printed_these(
    one: tuple[int, int],
    other: tuple[int, int],
    plain: tuple[float, float],
    corrected: tuple[float, float],
) -> None:
    """Statistics in Medicine 17, 1998, page 879, table II: methods 10 and 11."""
    after, before = (Share(found / of, of) for found, of in (one, other))
    assert difference_interval(before, after) == pytest.approx(plain, abs=5e-5)
    found = difference_interval(before, after, continuity=True)
    assert found == pytest.approx(corrected, abs=5e-5)
