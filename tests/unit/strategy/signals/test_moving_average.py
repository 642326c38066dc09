"""Moving averages: of closes and not of sessions, and of nothing but their window."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from strategy.signals.moving_average import moving_average, window_start

PRICES = np.array([1.0, np.nan, 2.0, 3.0, np.nan, 5.0])


def test_a_window_is_of_closes_and_a_session_without_one_has_no_average() -> None:
    np.testing.assert_array_equal(moving_average(PRICES, 2), [np.nan, np.nan, 1.5, 2.5, np.nan, 4.0])


def test_a_window_begins_as_many_closes_before_as_it_has() -> None:
    assert [window_start(PRICES, row, 2) for row in range(6)] == [0, 0, 0, 2, 2, 3]


@given(seed=st.integers(0, 2**32 - 1), window=st.integers(1, 300), row=st.integers(0, 399))
def test_what_is_before_the_window_changes_no_bit(seed: int, window: int, row: int) -> None:
    rng = np.random.default_rng(seed)
    prices = rng.lognormal(4, 1, 400)
    prices[rng.random(400) < 0.2] = np.nan
    first = window_start(prices, row, window)
    assert (
        moving_average(prices[first:], window)[row - first :].tobytes()
        == moving_average(prices, window)[row:].tobytes()
    )
