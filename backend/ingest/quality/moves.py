"""Moves from close to close that no split or dividend explains.

1. A move is the log of the close over the one before, with the split of the session undone; a dividend is added where
   that makes it smaller (a dividend in the wrong unit must not make a jump of a price that is right).
2. It is a jump when it exceeds both a floor and a multiple of the robust standard deviation of the moves before it,
   1.4826 times their median absolute value, which no single error moves [1]_.

References
----------
.. [1] Rousseeuw, P. J. and Croux, C. (1993). "Alternatives to the Median Absolute Deviation". JASA 88(424), 1273-1283.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.ingest.quality.rules import Thresholds
from backend.ingest.quality.series import Actions, FloatArray, IntArray, Series

#: Makes the median absolute value of a normal variable its standard deviation.
_NORMAL = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Jumps:
    """The moves of all bars, and those that are jumps.

    Parameters
    ----------
    moves : ndarray of shape (n_bars,)
        Log moves; 0 at the first bar of a ticker.
    rows : ndarray of shape (n_jumps,), int64
        Rows of the jumps, increasing.
    scales : ndarray of shape (n_jumps,)
        Robust standard deviation of the moves before each.
    lines : ndarray of shape (n_jumps,)
        What the absolute move exceeds.
    """

    moves: FloatArray
    rows: IntArray
    scales: FloatArray
    lines: FloatArray

    def at(self, chosen: IntArray) -> Jumps:
        """Some of the jumps, by their number."""
        return Jumps(moves=self.moves, rows=self.rows[chosen], scales=self.scales[chosen], lines=self.lines[chosen])


def jumps_of(series: Series, actions: Actions, limits: Thresholds) -> Jumps:
    """The moves of the series, and which of them are jumps."""
    moves = explained_moves(series, actions)
    rows = np.flatnonzero(np.abs(moves) > limits.jump_floor)
    scales = _scales(series, moves, rows, limits)
    lines = np.maximum(limits.jump_floor, limits.jump_scales * scales)
    found = Jumps(moves=moves, rows=rows, scales=scales, lines=lines)
    return found.at(np.flatnonzero(np.abs(moves[rows]) > lines))


def explained_moves(series: Series, actions: Actions) -> FloatArray:
    """Log moves of the closes, less what splits and dividends explain; 0 at the first bar of each ticker."""
    logs = np.log(series.close)
    moves = np.zeros(logs.shape)
    np.subtract(logs[1:], logs[:-1], out=moves[1:])
    moves[series.starts] = 0.0
    has_row = actions.split_rows >= 0
    np.add.at(moves, actions.split_rows[has_row], actions.split_logs[has_row])
    rows = actions.dividend_rows
    with_dividend = moves[rows] + np.logaddexp(logs[rows], np.log(actions.dividends)) - logs[rows]
    moves[rows] = np.where(np.abs(with_dividend) < np.abs(moves[rows]), with_dividend, moves[rows])
    return moves


def _scales(series: Series, moves: FloatArray, rows: IntArray, limits: Thresholds) -> FloatArray:
    """Robust standard deviation of the `scale_bars` moves before each of the rows."""
    earlier = rows[:, None] - np.arange(1, limits.scale_bars + 1)
    # The move at the first bar of a ticker is none.
    is_move = earlier > series.first[rows][:, None]
    sizes = np.where(is_move, np.abs(moves[np.maximum(earlier, 0)]), np.inf)
    sizes.sort(axis=1)
    n_moves = is_move.sum(axis=1)
    each = np.arange(rows.size)
    low, high = np.maximum(n_moves - 1, 0) // 2, np.minimum(n_moves // 2, limits.scale_bars - 1)
    with np.errstate(invalid="ignore"):
        medians = (sizes[each, low] + sizes[each, high]) / 2
    return np.where(n_moves >= limits.least_scale_bars, _NORMAL * medians, limits.usual_scale)
