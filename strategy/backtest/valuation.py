"""What a holding is worth when there is no bar, and when it counts as delisted."""

from __future__ import annotations

import numpy as np

from strategy.adjustments import last_close_rows
from strategy.panel import FloatArray, IntArray, PricePanel

#: Sessions that are valued at once: the closes of what is held stay in the processor's cache.
_ROWS_AT_ONCE = 256


def valuation_prices(panel: PricePanel) -> FloatArray:
    """Last known close of every session, split-adjusted across gaps, shape (n_dates, n_assets).

    A missing close is the close before it, divided by any split since. NaN only before the first close of an asset.
    Computed once for a panel.
    """
    return panel.last_known_closes


def delistings(panel: PricePanel, delist_after: int) -> tuple[IntArray, IntArray]:
    """(rows, columns) at whose close an asset has had no close for exactly `delist_after` sessions in a row.

    Known at that close, without a look at whether it ever trades again. Sorted by row.
    """
    gaps = panel.columns_with_gaps
    if gaps.size == 0:
        return gaps, gaps
    last = last_close_rows(panel.close_prices[:, gaps])
    run = np.arange(panel.n_dates)[:, np.newaxis] - last
    rows, positions = np.nonzero((run == delist_after) & (last >= 0))
    return rows.astype(np.intp), gaps[positions].astype(np.intp)


def holdings_values(valuation: FloatArray, begin: int, stop: int, shares: FloatArray, *, out: FloatArray) -> None:
    """Write the value of shares at the closes from row `begin` to before `stop` into `out`.

    Parameters
    ----------
    valuation : ndarray of shape (n_dates, n_assets)
        Last known closes; what is NaN must not be held.
    shares : ndarray of shape (n_assets,)
    out : ndarray of shape (stop - begin,)
    """
    held = shares.nonzero()[0]
    if held.size == shares.size:
        np.dot(valuation[begin:stop], shares, out=out)
        return
    shares = shares[held]
    for first in range(begin, stop, _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE, stop)
        part = valuation[first:last].take(held, axis=1)
        np.dot(part, shares, out=out[first - begin : last - begin])
