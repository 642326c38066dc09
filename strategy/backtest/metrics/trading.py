"""What trading took: how much was invested, how much was turned over, and what that cost."""

from __future__ import annotations

import numpy as np

from strategy.panel import FloatArray


def mean_exposure(equity: FloatArray, cash: FloatArray) -> float:
    """Mean share of equity that is not cash at the close, a fraction; short holdings count against long ones."""
    return float(np.mean(1 - cash / equity))


def turnover(values: FloatArray, equity: FloatArray, *, periods_per_year: int) -> float:
    """Half of the traded value a year over mean equity, a fraction: 1 is the whole portfolio exchanged once a year.

    Parameters
    ----------
    values : ndarray of shape (n_orders,)
        Traded value of each order, >= 0, base currency.
    equity : ndarray of shape (n,)
        At the close of every session, base currency.
    periods_per_year : int
        Sessions in a year.
    """
    return float(values.sum()) / 2 / _years(equity, periods_per_year) / float(equity.mean())


def cost_drag(costs: float, equity: FloatArray, *, periods_per_year: int) -> float:
    """Costs a year over mean equity, a fraction: about what they take from the annual return."""
    return costs / _years(equity, periods_per_year) / float(equity.mean())


def _years(equity: FloatArray, periods_per_year: int) -> float:
    return (equity.size - 1) / periods_per_year
