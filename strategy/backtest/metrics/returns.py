"""Growth, spread and their ratios, and the moments of session returns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from strategy.panel import DateArray, FloatArray

#: A curve that never moves has a spread of rounding errors, not of risk.
LEAST_SPREAD = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnMoments:
    """Moments of session returns: sample standard deviation, population skewness, kurtosis with 3 for a normal."""

    n: int
    mean: float
    std: float
    skewness: float
    kurtosis: float


def session_returns(equity: FloatArray) -> FloatArray:
    """Simple returns of an equity curve, shape (n - 1,)."""
    return equity[1:] / equity[:-1] - 1


def total_return(equity: FloatArray) -> float:
    """Last value over first, minus one, as a fraction."""
    return float(equity[-1] / equity[0] - 1)


def cagr(equity: FloatArray, sessions: DateArray) -> float:
    """Compound annual growth rate over calendar time: ``(last / first) ** (365.25 / days) - 1``."""
    days = int((sessions[-1] - sessions[0]) / np.timedelta64(1, "D"))
    return float((equity[-1] / equity[0]) ** (365.25 / days) - 1) if days else math.nan


def periodic_rate(annual_rate: float, periods_per_year: int) -> float:
    """Rate of one period that compounds to `annual_rate` (both fractions) in a year."""
    return float((1 + annual_rate) ** (1 / periods_per_year) - 1)


def volatility(returns: FloatArray, *, periods_per_year: int) -> float:
    """Sample standard deviation (n - 1) of the returns, times the root of `periods_per_year`."""
    return float(np.std(returns, ddof=1) * math.sqrt(periods_per_year)) if returns.size > 1 else math.nan


def sharpe_ratio(returns: FloatArray, *, periods_per_year: int, risk_free_rate: float = 0.0) -> float:
    """Annualised ratio of mean to sample standard deviation of excess returns [1]_.

    Parameters
    ----------
    returns : ndarray of shape (n_periods,)
        Simple returns as fractions.
    periods_per_year : int
        Observations in a year.
    risk_free_rate : float
        Fraction a year, compounded per period.

    Returns
    -------
    float
        Dimensionless; NaN when the returns do not vary, or with fewer than two of them.

    References
    ----------
    .. [1] Sharpe, W. F. (1994). "The Sharpe Ratio". J. Portfolio Management 21(1), 49-58.
    """
    excess = returns - periodic_rate(risk_free_rate, periods_per_year)
    spread = np.std(excess, ddof=1) if excess.size > 1 else 0.0
    if spread <= LEAST_SPREAD:
        return math.nan
    return float(excess.mean() / spread * math.sqrt(periods_per_year))


def downside_deviation(returns: FloatArray, *, periods_per_year: int) -> float:
    """Root mean square of the negative returns over all periods, times the root of `periods_per_year` [1]_.

    A fraction a year; 0 when no return is negative, NaN without returns.

    References
    ----------
    .. [1] Sortino, F. A. and Price, L. N. (1994). "Performance Measurement in a Downside Risk Framework".
       J. Investing 3(3), 59-64.
    """
    if returns.size == 0:
        return math.nan
    return math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)) * periods_per_year)


def sortino_ratio(returns: FloatArray, *, periods_per_year: int) -> float:
    """Annualised mean return over the annualised downside deviation about zero; NaN when no return is negative."""
    downside = downside_deviation(returns, periods_per_year=periods_per_year)
    return float(returns.mean() * periods_per_year / downside) if downside > 0 else math.nan


def return_moments(returns: FloatArray) -> ReturnMoments:
    """Moments of returns as the trial ledger keeps them [1]_; NaN where the returns do not vary.

    References
    ----------
    .. [1] Bailey, D. H. and Lopez de Prado, M. (2014). "The Deflated Sharpe Ratio".
       J. Portfolio Management 40(5), 94-107.
    """
    mean = float(returns.mean()) if returns.size else math.nan
    std = float(np.std(returns, ddof=1)) if returns.size > 1 else math.nan
    spread = float(np.std(returns)) if returns.size else 0.0
    if spread == 0:
        return ReturnMoments(n=returns.size, mean=mean, std=std, skewness=math.nan, kurtosis=math.nan)
    scores = (returns - mean) / spread
    squares = scores * scores
    return ReturnMoments(
        n=returns.size,
        mean=mean,
        std=std,
        skewness=float(np.mean(squares * scores)),
        kurtosis=float(np.mean(squares * squares)),
    )
