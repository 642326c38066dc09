"""What trading took: how much was invested, how much was turned over, and what that cost."""

from __future__ import annotations

import numpy as np

from strategy.panel import FloatArray, IntArray


def mean_exposure(equity: FloatArray, cash: FloatArray) -> float:
    """Mean share of equity that is not cash at the close, a fraction; short holdings count against long ones."""
    return float(np.mean(1 - cash / equity))


def mean_gross_exposure(equity: FloatArray, cash: FloatArray, shorts: FloatArray) -> float:
    """Mean value of long and short holdings together over equity at the close, a fraction.

    `shorts` is the size of what is sold short, >= 0, base currency, shape (n,). What is not cash is long less short.
    """
    return float(np.mean((equity - cash + 2 * shorts) / equity))


def short_values(rows: IntArray, event_rows: IntArray, event_shares: FloatArray, prices: FloatArray) -> FloatArray:
    """Size of what is sold short at each close, base currency, >= 0, shape (n,).

    Parameters
    ----------
    rows : ndarray of shape (n,), intp
        Panel rows of the sessions, without gaps.
    event_rows, event_shares : ndarray of shape (n_events,) and (n_events, n_assets)
        Shares held from the close of a panel row on.
    prices : ndarray of shape (n_dates, n_assets)
        What a share counts at each close of the panel.
    """
    values = np.zeros(rows.size)
    ends = np.append(event_rows[1:], rows[-1] + 1)
    for event in np.flatnonzero((event_shares < 0).any(axis=1)):
        columns = np.flatnonzero(event_shares[event] < 0)
        begin, end = event_rows[event], ends[event]
        values[begin - rows[0] : end - rows[0]] = -prices[begin:end, columns] @ event_shares[event, columns]
    return values


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
