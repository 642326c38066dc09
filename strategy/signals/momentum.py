"""Momentum: the return of an asset over a past span."""

from __future__ import annotations

import numpy as np

from strategy.panel import FloatArray, IntArray


def momentum(prices: FloatArray, rows: IntArray, *, lookback: int, skip: int = 0) -> FloatArray:
    """Return over `lookback` sessions that end `skip` sessions before each row.

    Parameters
    ----------
    prices : ndarray of shape (n_dates, n_assets)
        Total-return closes. NaN: no bar.
    rows : ndarray of shape (n_rows,), intp
    lookback, skip : int
        Sessions.

    Returns
    -------
    ndarray of shape (n_rows, n_assets)
        ``prices[row - skip] / prices[row - skip - lookback] - 1``, a fraction. NaN where either close is missing
        or lies before the first session.
    """
    last, first = rows - skip, rows - skip - lookback
    result: FloatArray = prices[np.maximum(last, 0)]
    result /= prices[np.maximum(first, 0)]
    result -= 1
    result[first < 0] = np.nan
    return result
