"""What trading took, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from strategy.backtest.metrics.trading import cost_drag, mean_gross_exposure, short_values, turnover


def test_shorts_count_from_their_event_to_the_next() -> None:
    prices = np.array([[10.0, 5.0], [10.0, 6.0], [10.0, 7.0], [10.0, 8.0], [10.0, 9.0]])
    found = short_values(
        np.array([1, 2, 3, 4]), np.array([1, 3, 4]), np.array([[1.0, -2.0], [1.0, 0.0], [-1.0, -1.0]]), prices
    )
    np.testing.assert_allclose(found, [12.0, 14.0, 0.0, 19.0])
    nothing = short_values(np.array([1, 2]), np.empty(0, dtype=np.intp), np.empty((0, 2)), prices)
    np.testing.assert_array_equal(nothing, [0.0, 0.0])


def test_gross_exposure_counts_both_sides() -> None:
    # 100 of equity: 130 long, 30 short, no cash left beside the short's proceeds.
    assert mean_gross_exposure(np.array([100.0]), np.array([0.0]), np.array([30.0])) == pytest.approx(1.6)


def test_turnover_and_costs_are_of_a_year() -> None:
    equity = np.array([100.0, 100.0, 100.0])  # two sessions, half a year of four
    assert turnover(np.array([50.0, 50.0]), equity, periods_per_year=4) == pytest.approx(1.0)
    assert cost_drag(1.0, equity, periods_per_year=4) == pytest.approx(0.02)
