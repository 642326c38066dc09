"""The same curve by empyrical-reloaded 0.7.1 and quantstats 0.0.86 (numpy 2.4.6, pandas 3.1.1).

They are no dependency of the tests: together they would bring matplotlib, seaborn, yfinance and peewee. Their values
below were printed by the functions that are named beside them, given `OURS` and `MARKET` as series on these sessions.
Where they are not followed, the test says why.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from strategy.backtest.metrics.drawdowns import drawdown_curve, max_drawdown, ulcer_index, worst_drawdowns
from strategy.backtest.metrics.periods import period_returns
from strategy.backtest.metrics.relative import (
    beta,
    down_capture,
    information_ratio,
    jensen_alpha,
    tracking_error,
    up_capture,
)
from strategy.backtest.metrics.returns import (
    downside_deviation,
    return_moments,
    sharpe_ratio,
    sortino_ratio,
    volatility,
)
from strategy.backtest.metrics.rolling import rolling_figures
from strategy.backtest.metrics.tails import (
    average_loss,
    average_win,
    expected_shortfall,
    hit_rate,
    payoff_ratio,
    value_at_risk,
)
from strategy.panel import FloatArray
from support.panels import business_days

_T = np.arange(1, 757)
OURS = 0.0006 + 0.011 * np.sin(1.7 * _T) + 0.007 * np.sin(0.0613 * _T * _T)
MARKET = 0.0004 + 0.009 * np.sin(1.7 * _T + 0.4) + 0.005 * np.sin(0.0291 * _T * _T)
SESSIONS = business_days(757, "2019-12-31")


def curve(returns: FloatArray) -> FloatArray:
    return np.concatenate(([1.0], np.cumprod(1 + returns)))


def test_ratios() -> None:
    assert sharpe_ratio(OURS, periods_per_year=252) == pytest.approx(0.9243509895763009)  # both: sharpe
    assert volatility(OURS, periods_per_year=252) == pytest.approx(0.14601669546983864)  # both
    assert sortino_ratio(OURS, periods_per_year=252) == pytest.approx(1.3966499535360515)  # both
    assert downside_deviation(OURS, periods_per_year=252) == pytest.approx(0.09663887261835843)  # empyrical


def test_falls() -> None:
    equity = curve(OURS)
    assert max_drawdown(equity).depth == pytest.approx(-0.06449842222749753)  # both: max_drawdown
    # quantstats.drawdown_details dates a fall from its first session below the high; ours begins on the one before.
    falls = [
        (fall.depth, *map(str, SESSIONS[[fall.peak_row + 1, fall.trough_row]])) for fall in worst_drawdowns(equity)
    ]
    expected = [
        (-0.06449842, "2022-09-22", "2022-10-10"),
        (-0.05381453, "2021-02-25", "2021-03-15"),
        (-0.05121532, "2021-12-07", "2022-01-03"),
        (-0.04907756, "2020-05-12", "2020-06-02"),
    ]
    for found, (depth, peak, trough) in zip(falls, expected, strict=False):
        assert found == (pytest.approx(depth, abs=1e-8), peak, trough)


def test_quantstats_divides_the_ulcer_index_by_one_session_too_few() -> None:
    # Martin and McCann take the mean over all sessions; quantstats.ulcer_index divides by n - 1.
    squares = float((drawdown_curve(curve(OURS))[1:] ** 2).sum())
    assert math.sqrt(squares / (OURS.size - 1)) == pytest.approx(0.020453415399983216)
    assert ulcer_index(curve(OURS)) == pytest.approx(math.sqrt(squares / (OURS.size + 1)))


def test_tails() -> None:
    # empyrical; quantstats.value_at_risk and cvar are those of a fitted normal, whatever happened.
    assert value_at_risk(OURS, level=0.95) == pytest.approx(-0.01380234700431108)
    assert expected_shortfall(OURS, level=0.95) == pytest.approx(-0.015463997173593962)


def test_moments() -> None:
    # quantstats.skew and kurtosis are pandas': corrected for the size of the sample, kurtosis 0 for a normal.
    n, moments = OURS.size, return_moments(OURS)
    skewness = moments.skewness * math.sqrt(n * (n - 1)) / (n - 2)
    kurtosis = ((n + 1) * (moments.kurtosis - 3) + 6) * (n - 1) / ((n - 2) * (n - 3))
    assert skewness == pytest.approx(0.07026170169673564)
    assert kurtosis == pytest.approx(-0.9781274088084004)


def test_wins_and_losses() -> None:
    assert hit_rate(OURS) == pytest.approx(0.49603174603174605)  # quantstats.win_rate
    assert average_win(OURS) == pytest.approx(0.008418728099007556)
    assert average_loss(OURS) == pytest.approx(-0.0072233884679034485)
    assert payoff_ratio(OURS) == pytest.approx(1.1654818422704945)


def test_beside_the_benchmark() -> None:
    assert beta(OURS, MARKET) == pytest.approx(0.9010367510574995)  # both
    alpha = jensen_alpha(OURS, MARKET, periods_per_year=252)
    assert alpha == pytest.approx(0.009262959670021033)  # quantstats.greeks
    # empyrical.alpha compounds the intercept of a session over a year.
    assert (1 + alpha / 252) ** 252 - 1 == pytest.approx(0.009305821829387106)
    assert tracking_error(OURS, MARKET, periods_per_year=252) == pytest.approx(0.10325362330728217)  # pandas' std
    # empyrical.excess_sharpe and quantstats.information_ratio are of one session; Grinold and Kahn's is of a year.
    information = information_ratio(OURS, MARKET, periods_per_year=252)
    assert information / math.sqrt(252) == pytest.approx(-0.0027721615888224734)


def test_months_years_and_captures() -> None:
    _, months = period_returns(curve(OURS), SESSIONS, "month")
    _, market = period_returns(curve(MARKET), SESSIONS, "month")
    _, years = period_returns(curve(OURS), SESSIONS, "year")
    # By aggregate_returns of empyrical, monthly and yearly.
    np.testing.assert_allclose(months[:3], [0.043466539085181166, 0.009723917254586212, 0.010246207781296146])
    np.testing.assert_allclose(months[-2:], [-0.019807488384618877, 0.022501127096462348])
    np.testing.assert_allclose(years, [0.17237604482624325, 0.11524440132546765, 0.11049262484738454])
    assert hit_rate(months) == pytest.approx(0.7428571428571429)  # quantstats.win_rate
    # empyrical.up_capture and down_capture, of monthly returns
    assert up_capture(months, market, periods_per_year=12) == pytest.approx(0.7082597380096782)
    assert down_capture(months, market, periods_per_year=12) == pytest.approx(-0.5974437812564756)


def test_moving_windows() -> None:
    found = rolling_figures(curve(OURS), curve(MARKET), window=126, periods_per_year=252)
    rows = [-1, -100]
    # quantstats.rolling_sharpe, rolling_volatility, rolling_greeks; empyrical.roll_beta, roll_max_drawdown
    np.testing.assert_allclose(found["sharpe"][rows], [0.21482672000702763, 1.5265422005430822])
    np.testing.assert_allclose(found["volatility"][rows], [0.1353344843354946, 0.14758348931315082])
    np.testing.assert_allclose(found["beta"][rows], [0.828673653222591, 0.9188042940945658])
    np.testing.assert_allclose(found["drawdown"][rows], [-0.0644984222274978, -0.028524123760229322])
