"""Moving windows: by hand, and against the same figures of each window alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.backtest.metrics.drawdowns import max_drawdown
from strategy.backtest.metrics.relative import beta
from strategy.backtest.metrics.returns import session_returns, sharpe_ratio, volatility
from strategy.backtest.metrics.rolling import rolling_figures


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(25, 80), window=st.integers(5, 20))
@settings(deadline=None, max_examples=25)
def test_each_row_is_the_figure_of_its_window_alone(seed: int, n: int, window: int) -> None:
    rng = np.random.default_rng(seed)
    equity, market = (np.cumprod(1 + rng.normal(0.001, 0.02, size=n)).astype(np.float64) for _ in range(2))
    found = rolling_figures(equity, market, window=window, periods_per_year=252, risk_free_rate=0.03)
    assert all(np.isnan(values[:window]).all() and values.shape == (n,) for values in found.values())
    for row in range(window, n):
        part = slice(row - window, row + 1)
        ours, theirs = session_returns(equity[part]), session_returns(market[part])
        assert found["volatility"][row] == pytest.approx(volatility(ours, periods_per_year=252))
        sharpe = sharpe_ratio(ours, periods_per_year=252, risk_free_rate=0.03)
        assert found["sharpe"][row] == pytest.approx(sharpe, rel=1e-9)
        assert found["beta"][row] == pytest.approx(beta(ours, theirs), rel=1e-8, abs=1e-10)
        assert found["drawdown"][row] == pytest.approx(max_drawdown(equity[part]).depth)


def test_a_curve_shorter_than_the_window_has_only_nan() -> None:
    found = rolling_figures(np.ones(5), np.ones(5), window=5, periods_per_year=252)
    assert all(np.isnan(values).all() and values.size == 5 for values in found.values())


def test_a_window_in_cash_has_no_sharpe_ratio() -> None:
    equity = np.concatenate((np.array([1.0, 1.1, 0.9, 1.2, 1.0]), np.full(6, 1.0)))
    market = np.linspace(1.0, 2.0, 11)
    found = rolling_figures(equity, market, window=4, periods_per_year=252)
    assert np.isnan(found["sharpe"][-1])
    assert found["volatility"][-1] == pytest.approx(0, abs=1e-8)
    assert found["drawdown"][-1] == 0
    assert np.isfinite(found["sharpe"][4])
