"""All in or all out of one asset, for very many signals at once.

The engine is exact for any portfolio and pays for that with a loop over fills. Where all of the equity is in one asset
or in cash, and a cost is a share of the traded value, the final equity is a product over the spells in which the asset
was held, whatever happened in between:

1. Signals are compared in blocks that stay in the processor's cache, each row ending in "out".
2. Two neighbours that differ are a fill: as every row begins and ends out, entries and exits alternate through a whole
   block, and no row is looked at alone.
3. A spell multiplies equity by ``exit price / entry price * (1 - cost) / (1 + cost)``; its logarithms are added by row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from strategy.errors import ExecutionError
from strategy.panel import BoolArray, FloatArray, IntArray
from strategy.signals.moving_average import moving_average


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedGrowth:
    """What each signal made of the initial cash.

    Parameters
    ----------
    growth : ndarray of shape (n_signals,)
        Final over initial equity, after costs; a holding at the end is valued and not sold.
    n_orders : ndarray of shape (n_signals,), intp
        Fills.
    """

    growth: FloatArray
    n_orders: IntArray


def timed_growth(holds: BoolArray, fill_prices: FloatArray, *, final_price: float, cost_rate: float) -> TimedGrowth:
    """Growth of a portfolio that is all in the asset while a signal is true, and all in cash while it is false.

    Parameters
    ----------
    holds : ndarray of shape (n_signals, n_decisions), bool
        Decisions in the order of time; the first that is true buys.
    fill_prices : ndarray of shape (n_decisions,)
        Price at which each decision fills, quote currency: the open or close of the session after it.
    final_price : float
        Last close, at which a holding is valued.
    cost_rate : float
        Cost of an order over its value, as a fraction, 0 to 1.

    Raises
    ------
    ExecutionError
        If a price is missing or not positive, or the cost is no share of the value.
    """
    _check(holds, fill_prices, final_price, cost_rate)
    n_signals, n_decisions = holds.shape
    # One "out" before everything, and one behind each row.
    states = np.zeros(n_signals * (n_decisions + 1) + 1, dtype=np.bool_)
    states[1:].reshape(n_signals, n_decisions + 1)[:, :-1] = holds
    return _grown(states, np.log(np.append(fill_prices, final_price)), cost_rate)


def crossover_growth(
    prices: FloatArray, fill_prices: FloatArray, windows: IntArray, *, final_price: float, cost_rate: float
) -> tuple[IntArray, TimedGrowth]:
    """Growth of every pair of moving averages: all in while the faster one is above the slower one.

    Parameters
    ----------
    prices : ndarray of shape (n_decisions,)
        Total-return closes at which decisions are taken. NaN: no bar, out.
    fill_prices, final_price, cost_rate
        As of `timed_growth`.
    windows : ndarray of shape (n_windows,), intp
        Strictly increasing.

    Returns
    -------
    (ndarray of shape (n_pairs, 2), TimedGrowth)
        Fast and slow window of each pair, in the order of `itertools.combinations`, and what it made.

    Raises
    ------
    ExecutionError
        As `timed_growth`, or if the windows do not increase.
    """
    if (np.diff(windows) <= 0).any():
        raise ExecutionError("windows", windows.tolist(), "must increase strictly")
    _check(np.empty((0, prices.size), dtype=np.bool_), fill_prices, final_price, cost_rate)
    logs = np.log(np.append(fill_prices, final_price))
    parts = [_grown(states, logs, cost_rate) for states in _crossover_blocks(prices, windows)]
    growth = TimedGrowth(
        growth=np.concatenate([part.growth for part in parts] or [np.empty(0)]),
        n_orders=np.concatenate([part.n_orders for part in parts] or [np.empty(0, dtype=np.intp)]),
    )
    return windows[np.column_stack(np.triu_indices(windows.size, k=1))], growth


def _crossover_blocks(prices: FloatArray, windows: IntArray) -> Iterator[BoolArray]:
    """For each window the states of its pairs with all slower ones; one buffer, overwritten by the next block."""
    averages = np.array([moving_average(prices, int(window)) for window in windows])
    width = prices.size + 1
    buffer = np.zeros(max(windows.size - 1, 0) * width + 1, dtype=np.bool_)
    for fast in range(windows.size - 1):
        slower = averages[fast + 1 :]
        states = buffer[: slower.shape[0] * width + 1]
        np.greater(averages[fast], slower, out=states[1:].reshape(-1, width)[:, :-1])
        yield states


def _grown(states: BoolArray, log_prices: FloatArray, cost_rate: float) -> TimedGrowth:
    """Growth of rows that are one after another in `states`, each as long as `log_prices`, the last of it out."""
    width = log_prices.size
    n_signals = (states.size - 1) // width
    fills = np.flatnonzero(states[1:] != states[:-1])
    rows, columns = np.divmod(fills, width)
    entries, exits = columns[0::2], columns[1::2]
    of_signal = rows[0::2]
    n_spells = np.bincount(of_signal, minlength=n_signals)
    # A holding at the end is not sold: its exit is in the column behind the last decision.
    n_sold = np.bincount(of_signal[exits < width - 1], minlength=n_signals)
    total = np.bincount(of_signal, weights=log_prices[exits] - log_prices[entries], minlength=n_signals)
    kept = (1 - cost_rate) ** n_sold / (1 + cost_rate) ** n_spells
    return TimedGrowth(growth=np.exp(total) * kept, n_orders=n_spells + n_sold)


def _check(holds: BoolArray, fill_prices: FloatArray, final_price: float, cost_rate: float) -> None:
    if fill_prices.shape != holds.shape[1:]:
        raise ExecutionError(
            "fill_prices", fill_prices.shape, f"needs one price for each of {holds.shape[1]} decisions"
        )
    if not (np.isfinite(fill_prices).all() and (fill_prices > 0).all()):
        raise ExecutionError("fill_prices", None, "must be known and positive at every fill; use the engine")
    if not (np.isfinite(final_price) and final_price > 0):
        raise ExecutionError("final_price", final_price, "must be known and positive")
    if not 0 <= cost_rate < 1:
        raise ExecutionError("cost_rate", cost_rate, "must be a share of the traded value, from 0 to below 1")
