"""A strategy beside its benchmark: what the market explains, and what is left. Both series cover the same periods."""

from __future__ import annotations

import math

import numpy as np

from strategy.backtest.metrics.returns import LEAST_SPREAD, periodic_rate
from strategy.panel import BoolArray, FloatArray

_LEAST_RETURNS = 2


def beta(returns: FloatArray, benchmark: FloatArray) -> float:
    """Covariance with the benchmark over the benchmark's variance; NaN when the benchmark does not vary."""
    if not _varies(benchmark):
        return math.nan
    moves = benchmark - benchmark.mean()
    return float(np.dot(returns - returns.mean(), moves) / np.dot(moves, moves))


def jensen_alpha(
    returns: FloatArray, benchmark: FloatArray, *, periods_per_year: int, risk_free_rate: float = 0.0
) -> float:
    """Mean excess return that beta does not explain, times `periods_per_year` [1]_.

    Intercept of the regression of the strategy's excess returns on the benchmark's. A fraction a year, not compounded;
    NaN when the benchmark does not vary.

    References
    ----------
    .. [1] Jensen, M. C. (1968). "The Performance of Mutual Funds in the Period 1945-1964". J. Finance 23(2), 389-416.
    """
    rate = periodic_rate(risk_free_rate, periods_per_year)
    explained = beta(returns, benchmark) * (float(benchmark.mean()) - rate) if benchmark.size else math.nan
    return (float(returns.mean()) - rate - explained) * periods_per_year if returns.size else math.nan


def correlation(returns: FloatArray, benchmark: FloatArray) -> float:
    """Pearson's coefficient, -1 to 1; NaN when either does not vary."""
    if not (_varies(returns) and _varies(benchmark)):
        return math.nan
    ours, theirs = returns - returns.mean(), benchmark - benchmark.mean()
    return float(np.dot(ours, theirs) / math.sqrt(np.dot(ours, ours) * np.dot(theirs, theirs)))


def tracking_error(returns: FloatArray, benchmark: FloatArray, *, periods_per_year: int) -> float:
    """Sample standard deviation of the active returns (ours less the benchmark's), annualised by the root of time [1]_.

    A fraction a year; NaN with fewer than two returns.

    References
    ----------
    .. [1] Grinold, R. C. and Kahn, R. N. (2000). "Active Portfolio Management", 2nd ed. McGraw-Hill, ch. 3 and 5.
    """
    if returns.size < _LEAST_RETURNS:
        return math.nan
    return float(np.std(returns - benchmark, ddof=1) * math.sqrt(periods_per_year))


def information_ratio(returns: FloatArray, benchmark: FloatArray, *, periods_per_year: int) -> float:
    """Annualised mean active return over the tracking error [1]_; NaN when the two never differ.

    References
    ----------
    .. [1] Grinold and Kahn, as of `tracking_error`.
    """
    error = tracking_error(returns, benchmark, periods_per_year=periods_per_year)
    if not error > LEAST_SPREAD * math.sqrt(periods_per_year):
        return math.nan
    return float((returns - benchmark).mean()) * periods_per_year / error


def up_capture(returns: FloatArray, benchmark: FloatArray, *, periods_per_year: int) -> float:
    """Annualised compound return in the periods in which the benchmark rose, over the benchmark's own in them [1]_.

    A ratio: above 1 is more than the benchmark's rise. By custom the periods are months. NaN when it never rose.

    References
    ----------
    .. [1] Morningstar, "Upside/Downside Capture Ratio", Investing Glossary; compounded as there.
    """
    return _capture(returns, benchmark, benchmark > 0, periods_per_year)


def down_capture(returns: FloatArray, benchmark: FloatArray, *, periods_per_year: int) -> float:
    """As `up_capture`, in the periods in which the benchmark fell: below 1 is less than its fall."""
    return _capture(returns, benchmark, benchmark < 0, periods_per_year)


def _capture(returns: FloatArray, benchmark: FloatArray, chosen: BoolArray, periods_per_year: int) -> float:
    if not chosen.any():
        return math.nan
    power = periods_per_year / int(chosen.sum())
    ours, theirs = (np.prod(1 + values[chosen]) ** power - 1 for values in (returns, benchmark))
    return float(ours / theirs)


def _varies(values: FloatArray) -> bool:
    return bool(values.size >= _LEAST_RETURNS and np.std(values) > LEAST_SPREAD)
