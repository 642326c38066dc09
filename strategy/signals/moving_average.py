"""Simple moving averages of closes."""

from __future__ import annotations

import numpy as np

from strategy.panel import FloatArray, IntArray


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


def moving_averages(prices: FloatArray, columns: IntArray, window: int, *, first: int) -> FloatArray:
    """`moving_average` of several assets from a row on, to the bit, and without a look at what no window reaches.

    Parameters
    ----------
    prices : ndarray of shape (n_dates, n_assets)
    columns : ndarray of shape (n_columns,), intp
    window : int
        Closes, 1 or more.
    first : int
        First row that is asked for.

    Returns
    -------
    ndarray of shape (n_dates - first, n_columns)
    """
    begin = max(first + 1 - window, 0)
    part = np.ascontiguousarray(prices[begin:, columns].T)
    is_whole = np.isfinite(part).all(axis=1)
    result = np.full((columns.size, prices.shape[0] - first), np.nan)
    if is_whole.any() and part.shape[1] >= window:
        sums = np.lib.stride_tricks.sliding_window_view(part[is_whole], window, axis=1).sum(axis=-1)
        result[is_whole, result.shape[1] - sums.shape[1] :] = sums / window
    for number in np.flatnonzero(~is_whole):
        closes = prices[:, columns[number]]
        start = _window_start(closes, first, window)
        result[number] = moving_average(closes[start:], window)[first - start :]
    return result.T


def _window_start(prices: FloatArray, row: int, window: int) -> int:
    """Row of the first of the `window` closes up to a row; 0 where there are fewer."""
    rows = np.flatnonzero(np.isfinite(prices[: row + 1]))
    return int(rows[-window]) if rows.size >= window else 0
