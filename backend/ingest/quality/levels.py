"""Errors that multiply a price by a known factor: a subunit taken for its currency, a split adjusted on wrong sessions.

1. A jump of about 100 or 1/100 is a change of the unit, unless the price stays for good on its new level: then it may
   have been consolidated 100 to 1 (as AEZS on 2015-11-20), which nobody told us. A jump of the size of a split near its
   ex-date is that split's misplaced adjustment.
2. Their logs, summed from the first bar on, give the level of each bar: bars of one level belong together.
3. The newest level that held for `confirmed_bars` traded bars is believed, since vendors adjust backwards from today;
   until one has, the level with the most traded bars is. A bar without volume is no evidence of a price.
4. Every bar on another level is wrong.
"""

from __future__ import annotations

import math

import numpy as np

from backend.ingest.quality.moves import Jumps
from backend.ingest.quality.rules import Thresholds
from backend.ingest.quality.series import Actions, BoolArray, FloatArray, IntArray, Series

#: Levels closer than this are one: sums of the same logs differ by rounding only.
_SAME = 1e-6


def unit_steps(series: Series, jumps: Jumps, limits: Thresholds) -> FloatArray:
    """What a change of the unit adds to the log level at each jump, of shape (n_jumps,); 0 where it is none."""
    size = math.log(limits.unit_factor)
    moves = jumps.moves[jumps.rows]
    is_unit = np.abs(np.abs(moves) - size) <= limits.unit_tolerance
    is_unit &= ~_stays_for_good(series, jumps.rows, is_unit, limits)
    return np.where(is_unit, np.sign(moves) * size, 0.0)


def _stays_for_good(series: Series, rows: IntArray, is_unit: BoolArray, limits: Thresholds) -> BoolArray:
    """Whether a jump is the only one of its ticker, between two levels that both held for `confirmed_bars`."""
    tickers = series.ticker_of[rows]
    is_alone = np.bincount(tickers[is_unit], minlength=len(series.tickers))[tickers] == 1
    # NaN: the source has no volume, and every bar is a price.
    n_traded = np.concatenate(([0], np.cumsum(~(series.volume == 0))))
    before = n_traded[rows] - n_traded[series.starts[tickers]]
    after = n_traded[series.stops[tickers]] - n_traded[rows]
    stays: BoolArray = is_alone & (np.minimum(before, after) >= limits.confirmed_bars)
    return stays


def split_steps(series: Series, actions: Actions, jumps: Jumps, limits: Thresholds) -> FloatArray:
    """What the misplaced adjustment of a split adds to the log level at each jump; 0 where it is none."""
    steps = np.zeros(jumps.rows.shape)
    sizes = np.abs(actions.split_logs)
    is_large = sizes > limits.jump_floor
    tickers = series.ticker_of[jumps.rows]
    for number in np.flatnonzero(np.isin(tickers, actions.split_tickers[is_large])).tolist():
        move, day = float(jumps.moves[jumps.rows[number]]), series.days[jumps.rows[number]]
        is_near = np.abs(actions.split_days - day) <= limits.split_days
        near = sizes[is_large & is_near & (actions.split_tickers == tickers[number])]
        rest = np.abs(abs(move) - near)
        allowed = limits.split_tolerance * near
        if abs(move) < limits.certain_jump:
            allowed = np.minimum(allowed, max(limits.jump_floor / 2, limits.split_scales * jumps.scales[number]))
        fitting = near[rest <= allowed]
        if fitting.size:
            steps[number] = math.copysign(fitting[np.argmin(np.abs(abs(move) - fitting))], move)
    return steps


def mislevelled_rows(series: Series, rows: IntArray, steps: FloatArray, limits: Thresholds) -> IntArray:
    """Rows on another level than the one that is believed, given the steps of the log level at some rows."""
    wrong = []
    is_step = steps != 0
    rows, steps = rows[is_step], steps[is_step]
    tickers = series.ticker_of[rows]
    for ticker in np.unique(tickers).tolist():
        start, stop = int(series.starts[ticker]), int(series.stops[ticker])
        levels = np.zeros(stop - start)
        levels[rows[tickers == ticker] - start] = steps[tickers == ticker]
        np.cumsum(levels, out=levels)
        # NaN: the source has no volume, and every bar is a price.
        is_traded = ~(series.volume[start:stop] == 0)
        wrong.append(start + np.flatnonzero(_off_level(levels, is_traded, limits)))
    return np.concatenate(wrong) if wrong else np.empty(0, dtype=np.int64)


def _off_level(levels: FloatArray, is_traded: BoolArray, limits: Thresholds) -> BoolArray:
    changes = np.flatnonzero(np.abs(np.diff(levels)) > _SAME) + 1
    segments = np.zeros(levels.size, dtype=np.int64)
    segments[changes] = 1
    np.cumsum(segments, out=segments)
    n_traded = np.bincount(segments, weights=is_traded if is_traded.any() else None)
    confirmed = np.flatnonzero(n_traded >= limits.confirmed_bars)
    # Of equals the newest.
    believed = confirmed[-1] if confirmed.size else n_traded.size - 1 - int(np.argmax(n_traded[::-1]))
    off: BoolArray = np.abs(levels - levels[segments == believed][0]) > _SAME
    return off
