"""What a holding is worth when there is no bar, and when it counts as delisted."""

from __future__ import annotations

import numpy as np

from strategy.adjustments import columns_with_gaps, last_close_rows
from strategy.panel import FloatArray, IntArray, PricePanel


def valuation_prices(panel: PricePanel) -> FloatArray:
    """Last known close of every session, split-adjusted across gaps, shape (n_dates, n_assets).

    A missing close is the close before it, divided by any split since. NaN only before the first close of an asset.
    Computed once for a panel.
    """
    return panel.last_known_closes


def delistings(close: FloatArray, delist_after: int) -> tuple[IntArray, IntArray]:
    """(rows, columns) at whose close an asset has had no close for exactly `delist_after` sessions in a row.

    Known at that close, without a look at whether it ever trades again. Sorted by row.
    """
    gaps = columns_with_gaps(close)
    last = last_close_rows(close[:, gaps])
    run = np.arange(close.shape[0])[:, np.newaxis] - last
    rows, positions = np.nonzero((run == delist_after) & (last >= 0))
    return rows.astype(np.intp), gaps[positions].astype(np.intp)
