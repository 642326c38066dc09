"""What a holding is worth when there is no bar, and when it counts as delisted."""

from __future__ import annotations

import numpy as np

from strategy.adjustments import split_factors
from strategy.panel import FloatArray, IntArray, PricePanel


def valuation_prices(panel: PricePanel) -> FloatArray:
    """Last known close of every session, split-adjusted across gaps, shape (n_dates, n_assets).

    A missing close is the close before it, divided by any split since. NaN only before the first close of an asset.
    """
    close = panel.close_prices
    gaps = np.flatnonzero(np.isnan(close).any(axis=0))
    if gaps.size == 0:
        return close
    carried = close.copy()
    last = _last_close_rows(close[:, gaps])
    part = np.take_along_axis(close[:, gaps], np.maximum(last, 0), axis=0)
    if panel.actions.rows.size:
        factors = split_factors(close.shape, panel.actions)[:, gaps]
        part = part * np.take_along_axis(factors, np.maximum(last, 0), axis=0) / factors
    # Where a close is there it is taken as it is, free of rounding by the factors.
    carried[:, gaps] = np.where(np.isnan(close[:, gaps]), np.where(last < 0, np.nan, part), close[:, gaps])
    return carried


def delistings(close: FloatArray, delist_after: int) -> tuple[IntArray, IntArray]:
    """(rows, columns) at whose close an asset has had no close for exactly `delist_after` sessions in a row.

    Known at that close, without a look at whether it ever trades again. Sorted by row.
    """
    gaps = np.flatnonzero(np.isnan(close).any(axis=0))
    last = _last_close_rows(close[:, gaps])
    run = np.arange(close.shape[0])[:, np.newaxis] - last
    rows, positions = np.nonzero((run == delist_after) & (last >= 0))
    return rows.astype(np.intp), gaps[positions].astype(np.intp)


def _last_close_rows(close: FloatArray) -> IntArray:
    """Row of the newest close up to each row, -1 before the first."""
    rows = np.where(np.isnan(close), -1, np.arange(close.shape[0])[:, np.newaxis])
    return np.maximum.accumulate(rows, axis=0).astype(np.intp)
