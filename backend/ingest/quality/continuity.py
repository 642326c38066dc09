"""Rules on what goes on from bar to bar: repeated closes, sessions without trade, sessions without a bar."""

from __future__ import annotations

import numpy as np

from backend.ingest.quality.rules import Thresholds
from backend.ingest.quality.series import BoolArray, DateArray, IntArray, Series


def repeated(series: Series) -> BoolArray:
    """Bars without range whose close is that of the bar before, of shape (n_bars,)."""
    same = np.zeros(series.close.shape, dtype=np.bool_)
    np.equal(series.close[1:], series.close[:-1], out=same[1:])
    same[series.starts] = False
    # A comparison with NaN is false: a source of closes only has no range to show.
    same &= ~(series.high > series.low)
    return same


def stale_rows(series: Series, limits: Thresholds) -> IntArray:
    """Rows whose close is repeated for at least the `stale_bars`-th time."""
    same = repeated(series)
    if not same.any():
        return np.empty(0, dtype=np.int64)
    rows = np.arange(same.size)
    newest_other = np.maximum.accumulate(np.where(same, 0, rows))
    return np.flatnonzero(rows - newest_other >= limits.stale_bars)


def zero_volume_rows(series: Series, limits: Thresholds) -> IntArray:
    """Rows of volume zero in a ticker that traded in the `context_bars` before, or later on."""
    rows = np.flatnonzero(series.volume == 0)
    traded = np.flatnonzero(series.volume > 0)
    if not rows.size or not traded.size:
        return np.empty(0, dtype=np.int64)
    next_traded = np.searchsorted(traded, rows)
    before = traded[np.maximum(next_traded - 1, 0)]
    after = traded[np.minimum(next_traded, traded.size - 1)]
    earliest = np.maximum(series.first[rows], rows - limits.context_bars)
    is_before = (before < rows) & (before >= earliest)
    is_after = (after > rows) & (series.first[after] == series.first[rows])
    found: IntArray = rows[is_before | is_after]
    return found


def gap_rows(series: Series, sessions: DateArray) -> IntArray:
    """Rows between which and the bar before there was a session of the exchange.

    Parameters
    ----------
    sessions : ndarray of datetime64[D], increasing
        Of a time outside it, nothing is known to be missing.
    """
    if not sessions.size or not series.days.size:
        return np.empty(0, dtype=np.int64)
    session_days = sessions.astype("datetime64[D]").astype(np.int64)
    origin = int(session_days[0])
    n_days = int(session_days[-1]) - origin + 1
    is_session = np.zeros(n_days + 1, dtype=np.int64)
    is_session[session_days - origin + 1] = 1
    # n_until[k]: sessions until, and not on, the k-th day from the first session.
    n_until = np.cumsum(is_session)
    positions = series.days - origin
    n_before = n_until[np.clip(positions, 0, n_days)]
    n_through = n_until[np.clip(positions + 1, 0, n_days)]
    is_gap = np.zeros(series.days.shape, dtype=np.bool_)
    np.greater(n_before[1:], n_through[:-1], out=is_gap[1:])
    is_gap[series.starts] = False
    return np.flatnonzero(is_gap)
