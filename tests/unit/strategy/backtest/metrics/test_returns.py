"""Growth, spread and their ratios: by hand, and against pandas and scipy."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from strategy.backtest.metrics.returns import (
    cagr,
    return_moments,
    session_returns,
    sharpe_ratio,
    sortino_ratio,
    total_return,
    volatility,
)

CURVE = np.array([100.0, 110.0, 99.0, 108.9, 87.12, 130.68])
# Its returns: +10 %, -10 %, +10 %, -20 %, +50 %.
RETURNS = np.array([0.1, -0.1, 0.1, -0.2, 0.5])


def test_returns_of_the_curve() -> None:
    np.testing.assert_allclose(session_returns(CURVE), RETURNS)
    assert total_return(CURVE) == pytest.approx(0.3068)


def test_growth_is_by_calendar_days() -> None:
    sessions = np.array(["2020-01-01", "2022-01-01"], dtype="datetime64[D]")
    # 731 days, for 2020 was a leap year: 1.21 ** (365.25 / 731) - 1.
    assert cagr(np.array([100.0, 121.0]), sessions) == pytest.approx(1.21 ** (365.25 / 731) - 1)


def test_volatility_and_sharpe_by_hand() -> None:
    # Mean 0.08; squared deviations 0.0004, 0.0324, 0.0004, 0.0784, 0.1764 sum to 0.288; over n - 1 = 4: 0.072.
    assert volatility(RETURNS, periods_per_year=4) == pytest.approx(math.sqrt(0.072) * 2)
    assert sharpe_ratio(RETURNS, periods_per_year=4) == pytest.approx(0.08 / math.sqrt(0.072) * 2)


def test_the_risk_free_rate_is_compounded_per_period() -> None:
    # 21.55 % a year is 5 % a quarter.
    rate = 1.05**4 - 1
    expected = (0.08 - 0.05) / math.sqrt(0.072) * 2
    assert sharpe_ratio(RETURNS, periods_per_year=4, risk_free_rate=rate) == pytest.approx(expected)


def test_sortino_by_hand() -> None:
    # Downside deviation over all five periods: sqrt((0.01 + 0.04) / 5) = 0.1.
    assert sortino_ratio(RETURNS, periods_per_year=4) == pytest.approx(0.08 / 0.1 * 2)


def test_what_is_undefined_is_nan() -> None:
    flat = np.zeros(5)
    assert math.isnan(sharpe_ratio(flat, periods_per_year=252))
    assert math.isnan(sortino_ratio(np.full(3, 0.01), periods_per_year=252))
    assert math.isnan(volatility(flat[:1], periods_per_year=252))
    assert math.isnan(return_moments(flat).skewness)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 500))
@settings(deadline=None, max_examples=50)
def test_pandas_and_scipy_agree(seed: int, n: int) -> None:
    returns = np.random.default_rng(seed).normal(0.001, 0.02, size=n)
    series = pd.Series(returns)
    assert volatility(returns, periods_per_year=252) == pytest.approx(series.std() * math.sqrt(252))
    moments = return_moments(returns)
    assert moments.skewness == pytest.approx(stats.skew(returns), abs=1e-9)
    assert moments.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False))
