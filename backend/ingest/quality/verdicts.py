"""The verdict on each bar of whole series: good, suspect or bad, and under which rules.

1. Jumps: moves from close to close that no split or dividend of the session explains (`moves`).
2. Jumps by 100 or by the ratio of a split near by put bars on a wrong level (`levels`).
3. Of the jumps left, those back to a level of a few bars ago are forgiven; the rest are suspect (`adjusted` says
   whether the vendor itself knows why).
4. Dividends against the adjusted close (`adjusted`), repeats, idle sessions and gaps (`continuity`).

A verdict depends on at most `context_bars` earlier bars of the ticker, and on any later ones: given the earlier ones
as context, a daily ingest comes to the verdicts that an ingest of everything would come to.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from backend.ingest.quality.adjusted import is_continuous, misadjusted_rows
from backend.ingest.quality.continuity import gap_rows, repeated, stale_rows, zero_volume_rows
from backend.ingest.quality.levels import mislevelled_rows, split_steps, unit_steps
from backend.ingest.quality.moves import Jumps, jumps_of
from backend.ingest.quality.rules import DEFAULT, RULES, VERDICTS, Thresholds
from backend.ingest.quality.series import Actions, DateArray, FloatArray, IntArray, Series, actions_on

_BIT = {name: 1 << number for number, name in enumerate(VERDICTS)}
_BAD = sum(_BIT[name] for name in VERDICTS if RULES[name].severity == "bad")
_QUALITIES = pa.array(["good", "suspect", "bad"])


def verdicts(
    series: Series,
    actions: pa.Table,
    *,
    sessions: DateArray | None = None,
    is_wrong_currency: bool = False,
    limits: Thresholds = DEFAULT,
) -> IntArray:
    """Rules that each bar breaks, as bits: the k-th lowest stands for VERDICTS[k].

    Parameters
    ----------
    series : Series
        With `context_bars` earlier bars of each ticker where there are any.
    actions : pa.Table
        ticker, ex_date, kind and value of the splits and dividends known; from `split_days` before the bars on.
    sessions : ndarray of datetime64[D], optional
        Sessions of the exchange, increasing; absent: gaps are not looked for.
    is_wrong_currency : bool
        Whether `backend.ingest.quality.currency` says so of all bars.

    Returns
    -------
    ndarray of shape (n_bars,), int64
        0: the bar is good.
    """
    known = actions_on(series, actions)
    found = _of_jumps(series, known, limits) | {
        "bad_dividend_adjustment": misadjusted_rows(series, known, limits),
        "stale_close": stale_rows(series, limits),
        "zero_volume": zero_volume_rows(series, limits),
    }
    if sessions is not None:
        found["missing_session"] = gap_rows(series, sessions)
    bits = np.full(series.days.shape, _BIT["wrong_currency"] if is_wrong_currency else 0, dtype=np.int64)
    for name, rows in found.items():
        bits[rows] |= _BIT[name]
    return bits


def doubtful_tickers(series: Series, actions: pa.Table, limits: Thresholds = DEFAULT) -> list[str]:
    """Tickers on whose first `context_bars` bars a verdict may depend on earlier bars; of most it does not."""
    known = actions_on(series, actions)
    has_split = known.split_tickers[np.abs(known.split_logs) > limits.jump_floor]
    doubtful = repeated(series) | (series.volume == 0)
    moves = np.abs(np.diff(np.log(series.close)))
    doubtful[1:] |= (moves > limits.jump_floor) & (series.first[1:] == series.first[:-1])
    rows = np.flatnonzero(doubtful)
    rows = rows[rows - series.first[rows] < limits.context_bars]
    return [series.tickers[number] for number in np.union1d(series.ticker_of[rows], has_split).tolist()]


def verdict_columns(bits: IntArray) -> tuple[pa.Array, pa.Array]:
    """`data_quality` (string) and `rules` (list of strings, empty where the bar is good) of bars."""
    quality = np.where(bits & _BAD, 2, np.minimum(bits, 1)).astype(np.int8)
    flagged = np.flatnonzero(bits)
    numbers, positions = np.nonzero(bits[flagged, None] >> np.arange(len(VERDICTS)) & 1)
    n_rules = np.bincount(flagged[numbers], minlength=bits.size)
    offsets = np.concatenate(([0], np.cumsum(n_rules))).astype(np.int32)
    rules = pa.ListArray.from_arrays(offsets, pa.array(VERDICTS).take(pa.array(positions)))
    return pa.DictionaryArray.from_arrays(quality, _QUALITIES).cast(pa.string()), rules


def rule_bits(rules: list[str]) -> int:
    """The rules as bits; names that are none of VERDICTS, of an older version, are left out."""
    return sum(_BIT.get(name, 0) for name in set(rules))


def _of_jumps(series: Series, actions: Actions, limits: Thresholds) -> dict[str, IntArray]:
    jumps = jumps_of(series, actions, limits)
    of_unit = unit_steps(series, jumps, limits)
    of_split = np.where(of_unit == 0, split_steps(series, actions, jumps, limits), 0.0)
    left = jumps.at(_not_returning(series, jumps, of_unit + of_split, limits))
    is_known = is_continuous(series, left.rows, left.lines)
    mixed = np.flatnonzero(series.high > limits.unit_range * series.low)
    return {
        "unit_error": np.append(mislevelled_rows(series, jumps.rows, of_unit, limits), mixed),
        "bad_split": mislevelled_rows(series, jumps.rows, of_split, limits),
        "jump_without_action": left.rows[~is_known],
        "missing_action": left.rows[is_known],
    }


def _not_returning(series: Series, jumps: Jumps, steps: FloatArray, limits: Thresholds) -> IntArray:
    """Numbers of the jumps that no step explains and that do not lead back to where the close was a few bars ago."""
    unexplained = np.flatnonzero(steps == 0)
    if not unexplained.size:
        return unexplained
    moves = jumps.moves.copy()
    moves[jumps.rows] -= steps
    path = np.cumsum(moves)
    rows = jumps.rows[unexplained]
    earlier = rows[:, None] - np.arange(2, limits.return_bars + 1)
    is_own = earlier >= series.first[rows][:, None]
    distances = np.abs(path[rows][:, None] - path[np.maximum(earlier, 0)])
    is_return = is_own & (distances <= jumps.lines[unexplained][:, None])
    left: IntArray = unexplained[~is_return.any(axis=1)]
    return left
