"""Rules on the vendor's adjusted close, whose ratio to the close must step as splits and dividends demand."""

from __future__ import annotations

import numpy as np

from backend.ingest.quality.rules import Thresholds
from backend.ingest.quality.series import Actions, BoolArray, FloatArray, IntArray, Series


def is_comparable(series: Series, rows: IntArray) -> BoolArray:
    """Whether the adjusted closes of the rows and of those before them mean the same, of the shape of `rows`."""
    before, after = series.adjusted_close[rows - 1], series.adjusted_close[rows]
    found: BoolArray = (before > 0) & (after > 0) & (series.answers[rows] == series.answers[rows - 1])
    return found


def is_continuous(series: Series, rows: IntArray, lines: FloatArray) -> BoolArray:
    """Whether the adjusted close moves by less than `lines` (log) at the rows; False where it cannot be compared."""
    found = is_comparable(series, rows)
    some = rows[found]
    # Logs are subtracted, since a ratio of any two prices could overflow.
    moves = np.abs(np.log(series.adjusted_close[some]) - np.log(series.adjusted_close[some - 1]))
    found[found] = moves <= lines[found]
    return found


def misadjusted_rows(series: Series, actions: Actions, limits: Thresholds) -> IntArray:
    """Ex-dates of dividends at which the ratio of adjusted close to close does not step by what they demand.

    The step is 1 / (1 - dividend * split / close before), as Yahoo and Tiingo compute it, times the split ratio of the
    day, since the close is as traded and the adjusted close is not.
    """
    is_usable = is_comparable(series, actions.dividend_rows)
    rows, dividends = actions.dividend_rows[is_usable], actions.dividends[is_usable]
    split_logs = _split_logs_at(actions, rows)
    log_shares = np.log(dividends) + split_logs - np.log(series.close[rows - 1])
    # A dividend of more than the price cannot have been adjusted for: its step is beyond any.
    kept = 1 - np.exp(np.minimum(log_shares, 0))
    expected = -np.log(np.maximum(kept, np.finfo(np.float64).tiny))
    log_ratios = np.log(series.adjusted_close[rows]) - np.log(series.close[rows])
    log_ratios_before = np.log(series.adjusted_close[rows - 1]) - np.log(series.close[rows - 1])
    actual = log_ratios - log_ratios_before - split_logs
    allowed = np.maximum(limits.dividend_tolerance * expected, limits.dividend_floor)
    return np.unique(rows[np.abs(actual - expected) > allowed])


def _split_logs_at(actions: Actions, rows: IntArray) -> FloatArray:
    if not actions.split_rows.size or not rows.size:
        return np.zeros(rows.shape)
    order = np.argsort(actions.split_rows)
    found = np.minimum(np.searchsorted(actions.split_rows[order], rows), order.size - 1)
    chosen = order[found]
    return np.where(actions.split_rows[chosen] == rows, actions.split_logs[chosen], 0.0)
