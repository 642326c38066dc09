"""What single periods bring: bad tails, wins and losses."""

from __future__ import annotations

import math

import numpy as np

from strategy.panel import FloatArray


def value_at_risk(returns: FloatArray, *, level: float) -> float:
    """Historical value at risk: the return that a share `1 - level` of all returns falls below [1]_.

    A fraction, below zero where it is a loss; linear between two observations. NaN without returns.

    References
    ----------
    .. [1] Jorion, P. (2007). "Value at Risk", 3rd ed. McGraw-Hill, ch. 10 (historical simulation).
    """
    return float(np.quantile(returns, 1 - level)) if returns.size else math.nan


def expected_shortfall(returns: FloatArray, *, level: float) -> float:
    """Mean of the returns at or below the value at risk of that level, a fraction [1]_; NaN without returns.

    References
    ----------
    .. [1] Acerbi, C. and Tasche, D. (2002). "On the Coherence of Expected Shortfall".
       J. Banking & Finance 26(7), 1487-1503.
    """
    if returns.size == 0:
        return math.nan
    return float(returns[returns <= value_at_risk(returns, level=level)].mean())


def hit_rate(returns: FloatArray) -> float:
    """Share of gains among the periods that brought a gain or a loss, a fraction; NaN when there was none."""
    n_gains, n_losses = np.count_nonzero(returns > 0), np.count_nonzero(returns < 0)
    return n_gains / (n_gains + n_losses) if n_gains + n_losses else math.nan


def average_win(returns: FloatArray) -> float:
    """Mean of the positive returns, a fraction; NaN when there is none."""
    wins = returns[returns > 0]
    return float(wins.mean()) if wins.size else math.nan


def average_loss(returns: FloatArray) -> float:
    """Mean of the negative returns, a fraction below zero; NaN when there is none."""
    losses = returns[returns < 0]
    return float(losses.mean()) if losses.size else math.nan


def payoff_ratio(returns: FloatArray) -> float:
    """Average win over the size of the average loss; NaN where either is missing."""
    return average_win(returns) / -average_loss(returns)
