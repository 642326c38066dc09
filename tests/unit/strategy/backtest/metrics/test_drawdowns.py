"""Falls by hand, against pandas, and as properties."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.backtest.metrics.drawdowns import (
    Drawdown,
    drawdown_curve,
    longest_drawdown,
    max_drawdown,
    ulcer_index,
    worst_drawdowns,
)
from strategy.panel import FloatArray

#: Two falls: from 110 to 99 and back to 110, then from 120 to 90, which is not made good.
CURVE = np.array([100.0, 110.0, 99.0, 104.5, 110.0, 120.0, 108.0, 90.0, 96.0])


def test_falls_are_listed_deepest_first_with_peak_trough_and_recovery() -> None:
    first, second = worst_drawdowns(CURVE)
    assert first == Drawdown(depth=90 / 120 - 1, peak_row=5, trough_row=7, recovery_row=None)
    assert second == Drawdown(depth=99 / 110 - 1, peak_row=1, trough_row=2, recovery_row=4)
    assert max_drawdown(CURVE) == first


def test_no_more_falls_are_listed_than_asked_for() -> None:
    assert [fall.peak_row for fall in worst_drawdowns(CURVE, 1)] == [5]


def test_a_curve_that_only_rises_has_no_fall() -> None:
    rising = np.array([1.0, 2.0, 2.0, 3.0])
    assert worst_drawdowns(rising) == []
    assert max_drawdown(rising).depth == 0
    assert longest_drawdown(rising) == 0
    assert ulcer_index(rising) == 0


def test_a_fall_begins_at_the_last_session_of_its_high() -> None:
    (fall,) = worst_drawdowns(np.array([5.0, 5.0, 4.0, 5.0]))
    assert (fall.peak_row, fall.trough_row, fall.recovery_row) == (1, 2, 3)


def test_the_longest_fall_is_counted_in_sessions_below_the_high() -> None:
    assert longest_drawdown(CURVE) == 3  # 108, 90, 96
    assert longest_drawdown(np.array([3.0, 1.0, 2.0, 3.0, 2.0])) == 2


def test_the_ulcer_index_by_hand() -> None:
    # Falls 0, -10 %, 0: the root of 0.01 / 3. Martin and McCann divide by all sessions.
    assert ulcer_index(np.array([10.0, 9.0, 10.0])) == pytest.approx(math.sqrt(0.01 / 3))


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 300))
@settings(deadline=None, max_examples=40)
def test_falls_agree_with_pandas_and_never_overlap(seed: int, n: int) -> None:
    curve: FloatArray = np.cumprod(1 + np.random.default_rng(seed).normal(0.001, 0.02, size=n)).astype(np.float64)
    falls = curve / pd.Series(curve).cummax().to_numpy(dtype=np.float64) - 1
    np.testing.assert_allclose(drawdown_curve(curve), falls, atol=1e-15)
    found = worst_drawdowns(curve, n)
    assert [fall.depth for fall in found] == sorted(fall.depth for fall in found)
    covered: set[int] = set()
    for fall in found:
        rows = set(range(fall.peak_row + 1, n if fall.recovery_row is None else fall.recovery_row))
        assert not rows & covered
        covered |= rows
        assert fall.depth == min(falls[row] for row in rows) == falls[fall.trough_row]
    assert covered == set(np.flatnonzero(falls < 0))
    assert longest_drawdown(curve) == max(((fall.recovery_row or n) - fall.peak_row - 1 for fall in found), default=0)
