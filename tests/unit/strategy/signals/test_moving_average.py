"""Moving averages: of closes and not of sessions, and of nothing but their window."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from strategy.signals.moving_average import moving_average, moving_averages

PRICES = np.array([1.0, np.nan, 2.0, 3.0, np.nan, 5.0])


def test_a_window_is_of_closes_and_a_session_without_one_has_no_average() -> None:
    np.testing.assert_array_equal(moving_average(PRICES, 2), [np.nan, np.nan, 1.5, 2.5, np.nan, 4.0])


@given(
    seed=st.integers(0, 2**32 - 1),
    window=st.integers(1, 300),
    first=st.integers(0, 399),
    n_assets=st.integers(1, 5),
    n_whole=st.integers(0, 5),
)
def test_those_of_several_assets_from_a_row_on_are_those_of_each_to_the_bit(
    seed: int, window: int, first: int, n_assets: int, n_whole: int
) -> None:
    rng = np.random.default_rng(seed)
    prices = rng.lognormal(4, 1, (400, n_assets))
    gaps = rng.random(prices.shape) < 0.2
    gaps[:, :n_whole] = False
    prices[gaps] = np.nan
    columns = np.sort(rng.choice(n_assets, rng.integers(1, n_assets + 1), replace=False))
    found = moving_averages(prices, columns, window, first=first)
    each = np.column_stack([moving_average(prices[:, column], window)[first:] for column in columns])
    assert found.tobytes() == each.tobytes()


def test_no_asset_has_no_average() -> None:
    assert moving_averages(np.ones((5, 2)), np.empty(0, dtype=np.intp), 2, first=1).shape == (4, 0)
