"""Figures beside a benchmark, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from strategy.backtest.metrics.relative import (
    beta,
    correlation,
    down_capture,
    information_ratio,
    jensen_alpha,
    tracking_error,
    up_capture,
)

MARKET = np.array([0.02, -0.01, 0.03, 0.0])
#: Twice the market and 0.1 % more every period.
LEVERED = 2 * MARKET + 0.001


def test_a_levered_market_has_its_leverage_as_beta_and_its_extra_as_alpha() -> None:
    assert beta(LEVERED, MARKET) == pytest.approx(2)
    assert jensen_alpha(LEVERED, MARKET, periods_per_year=12) == pytest.approx(0.012)
    assert correlation(LEVERED, MARKET) == pytest.approx(1)
    assert correlation(-LEVERED, MARKET) == pytest.approx(-1)


def test_alpha_is_above_the_cash_rate() -> None:
    # 0.5 % a month: of excess returns the intercept is 0.1 % - 0.5 % + 2 x 0.5 %.
    rate = 1.005**12 - 1
    found = jensen_alpha(LEVERED, MARKET, periods_per_year=12, risk_free_rate=rate)
    assert found == pytest.approx((0.001 + 0.005) * 12)


def test_active_returns_by_hand() -> None:
    ours = MARKET + np.array([0.01, -0.01, 0.01, 0.01])
    # Active mean 0.5 %; deviations 0.5, -1.5, 0.5, 0.5 %: squares sum to 3 %² of 100, over n - 1 = 3 they are 1 %².
    assert tracking_error(ours, MARKET, periods_per_year=4) == pytest.approx(0.01 * 2)
    assert information_ratio(ours, MARKET, periods_per_year=4) == pytest.approx(0.005 * 4 / 0.02)


def test_captures_compound_the_chosen_months() -> None:
    ours, market = np.array([0.10, -0.05, 0.02]), np.array([0.05, -0.10, 0.05])
    up = ((1.10 * 1.02) ** 6 - 1) / ((1.05 * 1.05) ** 6 - 1)
    assert up_capture(ours, market, periods_per_year=12) == pytest.approx(up)
    assert down_capture(ours, market, periods_per_year=12) == pytest.approx((0.95**12 - 1) / (0.90**12 - 1))


def test_what_is_undefined_is_nan() -> None:
    flat = np.zeros(4)
    assert math.isnan(beta(MARKET, flat))
    assert math.isnan(jensen_alpha(MARKET, flat, periods_per_year=12))
    assert math.isnan(correlation(flat, MARKET))
    assert math.isnan(tracking_error(MARKET[:1], MARKET[:1], periods_per_year=12))
    assert math.isnan(information_ratio(MARKET, MARKET, periods_per_year=12))
    assert math.isnan(up_capture(MARKET, flat, periods_per_year=12))
    assert math.isnan(down_capture(MARKET, np.abs(MARKET), periods_per_year=12))
