"""Simple moving averages of closes."""

from __future__ import annotations

import numpy as np

from strategy.panel import FloatArray


def moving_average(prices: FloatArray, window: int) -> FloatArray:
    """Mean of the last `window` closes up to each session.

    Parameters
    ----------
    prices : ndarray of shape (n_dates,)
        Closes of one asset. NaN (no bar) is left out: a window is of closes, not of sessions.
    window : int
        Closes, 1 or more.

    Returns
    -------
    ndarray of shape (n_dates,)
        NaN on sessions without a close, and before there are `window` closes.
    """
    result = np.full(prices.shape, np.nan)
    rows = np.flatnonzero(np.isfinite(prices))
    if rows.size >= window:
        # Sums of a sliding window one by one, and not differences of one running sum: the mean of a window must not
        # depend on what came before it, nor a tie of two averages on rounding.
        sums = np.lib.stride_tricks.sliding_window_view(prices[rows], window).sum(axis=1)
        result[rows[window - 1 :]] = sums / window
    return result


def window_start(prices: FloatArray, row: int, window: int) -> int:
    """Row of the first of the `window` closes up to a row; 0 where there are fewer.

    Averages of this row and later ones are the same, to the bit, whether closes before it are there or not.
    """
    rows = np.flatnonzero(np.isfinite(prices[: row + 1]))
    return int(rows[-window]) if rows.size >= window else 0
