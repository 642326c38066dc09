"""Figures of a moving window of sessions, each at the session that ends it; NaN until a whole window is past."""

from __future__ import annotations

import math

import numpy as np

from strategy.backtest.metrics.returns import periodic_rate, session_returns
from strategy.panel import FloatArray

#: Half a year and a year of an exchange, in sessions.
WINDOWS = (126, 252)
#: Share of the whole curve's variance below which a window does not vary: sums carry that much rounding.
_LEAST_VARIANCE = 1e-12


def rolling_figures(
    equity: FloatArray, benchmark: FloatArray, *, window: int, periods_per_year: int, risk_free_rate: float = 0.0
) -> dict[str, FloatArray]:
    """Sharpe ratio, volatility, beta and deepest fall of the last `window` session returns.

    Parameters
    ----------
    equity, benchmark : ndarray of shape (n,)
        Values at the close of the same sessions.
    window : int
        Session returns, >= 2.
    periods_per_year : int
    risk_free_rate : float
        Fraction a year, for the Sharpe ratio.

    Returns
    -------
    dict of name to ndarray of shape (n,)
        "sharpe" and "beta" are ratios; "volatility" is a fraction a year; "drawdown" a fraction <= 0, the deepest fall
        from a high to a later low that both lie in the window. NaN for the first `window` sessions, and where the
        returns of a window (for beta, the benchmark's) do not vary.
    """
    if equity.size <= window:
        return {name: np.full(equity.size, np.nan) for name in ("sharpe", "volatility", "beta", "drawdown")}
    returns, market = session_returns(equity), session_returns(benchmark)
    # About the means of the whole curve: sums of squares of small numbers lose no digits to a large mean.
    ours, theirs = returns - returns.mean(), market - market.mean()
    variance = _covariances(ours, ours, window)
    market_variance = _covariances(theirs, theirs, window)
    volatility = np.sqrt(variance * periods_per_year)
    excess = _sums(ours, window) / window + returns.mean() - periodic_rate(risk_free_rate, periods_per_year)
    figures = {
        "sharpe": _ratio(excess * periods_per_year, volatility, variance, ours),
        "volatility": volatility,
        "beta": _ratio(_covariances(ours, theirs, window), market_variance, market_variance, theirs),
        "drawdown": _deepest_falls(equity, window),
    }
    return {name: np.concatenate((np.full(window, np.nan), values)) for name, values in figures.items()}


def _sums(values: FloatArray, window: int) -> FloatArray:
    totals = np.concatenate(([0.0], np.cumsum(values)))
    return totals[window:] - totals[:-window]


def _covariances(left: FloatArray, right: FloatArray, window: int) -> FloatArray:
    products = _sums(left * right, window) - _sums(left, window) * _sums(right, window) / window
    covariances: FloatArray = products / (window - 1)
    # Of a series with itself it is a variance, and rounding makes none of those negative.
    return np.maximum(covariances, 0.0) if left is right else covariances


def _ratio(above: FloatArray, below: FloatArray, variance: FloatArray, values: FloatArray) -> FloatArray:
    varies = variance > _LEAST_VARIANCE * np.var(values)
    return np.where(varies, above, math.nan) / np.where(varies, below, 1.0)


def _deepest_falls(equity: FloatArray, window: int) -> FloatArray:
    windows = np.lib.stride_tricks.sliding_window_view(equity, window + 1)
    falls: FloatArray = (windows / np.maximum.accumulate(windows, axis=1)).min(axis=1) - 1
    return falls
