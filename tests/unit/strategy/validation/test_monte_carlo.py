"""Resampled and reordered paths are distributed as arithmetic says they must be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from strategy.backtest.metrics import session_returns
from strategy.backtest.metrics.drawdowns import max_drawdown
from strategy.errors import InsufficientHistoryError, StatisticError, StrategyError
from strategy.panel import FloatArray, IntArray
from strategy.validation.monte_carlo import (
    QUANTILES,
    ReorderedPeriods,
    ResampledPaths,
    reordered_periods,
    resampled_paths,
)

MEDIAN = QUANTILES.index(0.5)


def normal_returns(seed: int, n: int = 500) -> FloatArray:
    return np.random.default_rng(seed).normal(0.0005, 0.01, size=n)


def resampled(returns: FloatArray, *, n_samples: int = 2_000, block_length: float | None = 1.0) -> ResampledPaths:
    generator = np.random.default_rng(1)
    return resampled_paths(
        returns, periods_per_year=252, generator=generator, n_samples=n_samples, block_length=block_length
    )


def reordered(returns: FloatArray, starts: IntArray, *, n_samples: int = 500) -> ReorderedPeriods:
    return reordered_periods(returns, starts, generator=np.random.default_rng(1), n_samples=n_samples)


def test_resampled_totals_spread_like_the_root_of_time() -> None:
    """Independent draws: log totals have mean n * m and deviation sqrt(n) * s, so the quantiles are a normal's."""
    returns = normal_returns(2)
    logs = np.log1p(resampled(returns, n_samples=4_000).total_return.quantiles)
    mean, spread = np.log1p(returns).sum(), np.log1p(returns).std() * math.sqrt(500)
    # Scores of the 5 %, 50 % and 95 % quantiles; three standard errors at 4,000 paths are 0.1.
    assert (logs[[1, MEDIAN, 5]] - mean) / spread == pytest.approx([-1.645, 0.0, 1.645], abs=0.1)


def test_the_observed_figures_are_those_of_the_metrics() -> None:
    equity = 1_000 * np.cumprod(np.concatenate([[1.0], 1 + normal_returns(3)]))
    found = resampled(session_returns(equity), n_samples=10)
    assert found.total_return.observed == pytest.approx(equity[-1] / equity[0] - 1)
    assert found.max_drawdown.observed == pytest.approx(max_drawdown(equity).depth)
    returns = session_returns(equity)
    assert found.sharpe.observed == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(252))


def test_a_sure_loss_is_a_loss_on_every_path() -> None:
    """Every session loses 1 % or 2 %: the totals lie between 0.98 ** 50 - 1 and 0.99 ** 50 - 1, as do the falls."""
    found = resampled(np.tile([-0.01, -0.02], 25), n_samples=200)
    assert found.probability_of_loss == 1.0
    bounds = 0.98**50 - 1, 0.99**50 - 1
    assert ((found.total_return.quantiles >= bounds[0]) & (found.total_return.quantiles <= bounds[1])).all()
    assert found.max_drawdown.quantiles == pytest.approx(found.total_return.quantiles)


def test_blocks_keep_what_follows_what() -> None:
    """Falls come in tens: drawn one by one they scatter, and the median fall is shallower than in blocks."""
    returns = np.tile(np.concatenate([np.full(10, -0.01), np.full(30, 0.005)]), 12)
    single, blocks = resampled(returns), resampled(returns, block_length=40.0)
    assert blocks.max_drawdown.quantiles[MEDIAN] < single.max_drawdown.quantiles[MEDIAN]
    assert resampled(returns, block_length=None, n_samples=10).block_length > 5


def test_two_periods_have_two_orders_computed_by_hand() -> None:
    """+10 % then -20 % falls 20 %; the other way round as well. With -5 % inside the first: 1.1 * 0.95 * 0.8 = 0.836.

    First order: peak 1.1, end 0.836, a fall of 24 %. Second: 0.8 from 1, later 0.88 and 0.836: a fall of 20 %.
    """
    found = reordered(np.array([0.1, -0.05, -0.2]), np.array([0, 2]))
    assert found.max_drawdown.observed == pytest.approx(-0.24)
    assert found.max_drawdown.quantiles == pytest.approx([-0.24] * 4 + [-0.2] * 3, abs=0.041)
    assert found.max_drawdown.quantiles[[0, -1]] == pytest.approx([-0.24, -0.2])


def test_one_period_has_one_order() -> None:
    returns = normal_returns(4, n=50)
    found = reordered(returns, np.array([0]), n_samples=20)
    assert found.n_periods == 1
    assert found.max_drawdown.quantiles == pytest.approx(np.full(len(QUANTILES), found.max_drawdown.observed))


@given(seed=st.integers(0, 2**32 - 1), n_periods=st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_no_order_falls_by_more_than_all_losses_in_a_row(seed: int, n_periods: int) -> None:
    returns = normal_returns(seed, n=24)
    starts = np.sort(np.random.default_rng(seed).choice(np.arange(1, 24), n_periods - 1, replace=False))
    found = reordered(returns, np.concatenate([[0], starts]).astype(np.intp), n_samples=30)
    deepest = np.prod(1 + np.minimum(returns, 0)) - 1
    assert (found.max_drawdown.quantiles >= deepest - 1e-12).all()
    assert (found.max_drawdown.quantiles <= 1e-12).all()


def test_the_same_seed_gives_the_same_paths() -> None:
    first, second = resampled(normal_returns(5)), resampled(normal_returns(5))
    assert_array_equal(first.max_drawdown.quantiles, second.max_drawdown.quantiles)


@pytest.mark.parametrize(
    ("returns", "starts", "error"),
    [
        (np.array([0.1, -1.0]), np.array([0]), StatisticError),
        (np.array([0.1, np.nan]), np.array([0]), StatisticError),
        (np.array([0.1]), np.array([0]), InsufficientHistoryError),
        (np.array([0.1, 0.2]), np.array([1]), StatisticError),
        (np.array([0.1, 0.2]), np.array([0, 2]), StatisticError),
        (np.array([0.1, 0.2]), np.array([], dtype=np.intp), StatisticError),
    ],
)
def test_what_is_no_path_is_refused(returns: FloatArray, starts: IntArray, error: type[StrategyError]) -> None:
    with pytest.raises(error):
        reordered(returns, starts)
