"""How far a Sharpe ratio can be trusted: given its length, the shape of its returns, and how many were tried.

Sharpe ratios here are per period, not annualised; `n_returns` counts those periods; kurtosis is 3 for a normal.
Only the standard library: this is computed on every result, and scipy would cost each cold start its import.

References
----------
.. [1] Bailey, D. H. and Lopez de Prado, M. (2012). "The Sharpe Ratio Efficient Frontier". J. Risk 15(2), 3-44.
.. [2] Bailey, D. H. and Lopez de Prado, M. (2014). "The Deflated Sharpe Ratio: Correcting for Selection Bias,
   Backtest Overfitting and Non-Normality". J. Portfolio Management 40(5), 94-107.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from strategy.errors import StatisticError

_EULER_MASCHERONI = 0.577_215_664_901_532_9
_NORMAL = NormalDist()


def probabilistic_sharpe_ratio(
    sharpe: float, *, n_returns: int, skewness: float, kurtosis: float, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio is above `benchmark`, equation 11 of [1]_.

    ``cdf((sharpe - benchmark) * sqrt(n - 1) / sqrt(1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe ** 2))``

    Parameters
    ----------
    sharpe, benchmark : float
        Per period. NaN propagates to the result.
    n_returns : int
        Observations from which `sharpe` was computed, 2 or more.
    skewness, kurtosis : float
        Of those returns; kurtosis is 3 for a normal. NaN propagates.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    StatisticError
        If there are fewer than two returns, or no returns can have this skewness and kurtosis.

    References
    ----------
    .. [1] See the module.
    """
    if n_returns < 2:  # noqa: PLR2004  said below
        raise StatisticError("n_returns", n_returns, "a Sharpe ratio needs two returns or more")
    spread = math.sqrt(_variance_factor(sharpe, skewness, kurtosis))
    distance = (sharpe - benchmark) * math.sqrt(n_returns - 1)
    if spread == 0:
        # Two outcomes only, and no other sample of them can have another ratio.
        return 1.0 if distance > 0 else 0.5 if distance == 0 else 0.0
    return _cdf(distance / spread)


def expected_maximum_sharpe(*, n_trials: int, variance: float) -> float:
    """Sharpe ratio to be expected of the best of `n_trials` strategies without skill [2]_.

    ``sqrt(variance) * ((1 - g) * ppf(1 - 1 / n) + g * ppf(1 - 1 / (n * e)))`` with g the Euler-Mascheroni constant.
    The formula holds for many trials; of one it has no finite value, and the expectation of one draw, 0, is given.

    Parameters
    ----------
    n_trials : int
        Independent trials, 1 or more.
    variance : float
        Of the trials' Sharpe ratios per period, >= 0. NaN propagates.

    Raises
    ------
    StatisticError
        If there is no trial, or the variance is negative.

    References
    ----------
    .. [2] See the module.
    """
    if n_trials < 1:
        raise StatisticError("n_trials", n_trials, "count the trial itself: 1 or more")
    if variance < 0:
        raise StatisticError("variance", variance, "must be zero or more")
    if n_trials == 1:
        return 0.0 * variance  # NaN where the variance is
    # From the lower tail, which keeps its digits where 1 - 1 / n would lose them.
    best = -_NORMAL.inv_cdf(1 / n_trials)
    beyond = -_NORMAL.inv_cdf(1 / (n_trials * math.e))
    return math.sqrt(variance) * ((1 - _EULER_MASCHERONI) * best + _EULER_MASCHERONI * beyond)


def deflated_sharpe_ratio(
    sharpe: float, *, n_returns: int, skewness: float, kurtosis: float, n_trials: int, variance: float
) -> float:
    """Probability that the true Sharpe ratio is above what luck gives the best of `n_trials` [2]_.

    The probabilistic Sharpe ratio against `expected_maximum_sharpe`. Of one trial it is the probabilistic Sharpe ratio
    against zero; it falls as trials, or the variance of their Sharpe ratios, grow.

    Parameters
    ----------
    sharpe, n_returns, skewness, kurtosis
        As for `probabilistic_sharpe_ratio`.
    n_trials, variance
        As for `expected_maximum_sharpe`.

    References
    ----------
    .. [2] See the module.
    """
    luck = expected_maximum_sharpe(n_trials=n_trials, variance=variance)
    return probabilistic_sharpe_ratio(sharpe, n_returns=n_returns, skewness=skewness, kurtosis=kurtosis, benchmark=luck)


def minimum_track_record_length(
    sharpe: float, *, skewness: float, kurtosis: float, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Number of returns from which a Sharpe ratio like this would be above `benchmark` with `confidence` [1]_.

    ``1 + (1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe ** 2) * (ppf(confidence) / (sharpe - benchmark)) ** 2``

    Parameters
    ----------
    sharpe, benchmark : float
        Per period. NaN propagates to the result.
    skewness, kurtosis : float
        As for `probabilistic_sharpe_ratio`.
    confidence : float
        Above 0.5 and below 1.

    Returns
    -------
    float
        Returns, not rounded; infinite when `sharpe` is not above `benchmark`.

    References
    ----------
    .. [1] See the module.
    """
    if not 0.5 < confidence < 1:  # noqa: PLR2004  said below
        raise StatisticError("confidence", confidence, "must be above 0.5 and below 1")
    factor = _variance_factor(sharpe, skewness, kurtosis)
    if sharpe <= benchmark:
        return math.inf
    return 1 + factor * (_NORMAL.inv_cdf(confidence) / (sharpe - benchmark)) ** 2


def _variance_factor(sharpe: float, skewness: float, kurtosis: float) -> float:
    """Variance of the estimated Sharpe ratio times (n - 1); zero or more for every skewness and kurtosis there is."""
    if kurtosis < 1 + skewness**2 - 1e-9:
        least = 1 + skewness**2
        raise StatisticError("kurtosis", kurtosis, f"is at least 1 + skewness ** 2 = {least:g}; 3 for a normal")
    return max(1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2, 0.0)


def _cdf(value: float) -> float:
    return value if math.isnan(value) else _NORMAL.cdf(value)
