"""Falls from a previous high: how deep, from when to when, and how long they hurt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from strategy.panel import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """One fall from a high until that high is reached again.

    Parameters
    ----------
    depth : float
        Fraction, <= 0; 0 for a curve that never falls.
    peak_row, trough_row : int
        Rows of the curve: the last one at the high, and the first one at the low.
    recovery_row : int or None
        First row at or above the high again; None: not yet.
    """

    depth: float
    peak_row: int
    trough_row: int
    recovery_row: int | None


def drawdown_curve(equity: FloatArray) -> FloatArray:
    """Fall of each value from the highest so far, fractions <= 0, shape (n,)."""
    return equity / np.maximum.accumulate(equity) - 1


def worst_drawdowns(equity: FloatArray, n: int = 10) -> list[Drawdown]:
    """The `n` deepest falls, deepest first; two of one depth in order of time."""
    falls = drawdown_curve(equity)
    is_below = np.concatenate(([False], falls < 0, [False]))
    edges = np.flatnonzero(is_below[1:] != is_below[:-1])
    begins, ends = edges[::2], edges[1::2]
    if begins.size == 0:
        return []
    # Each segment of `reduceat` also holds the zeros up to the next fall, which are no minimum.
    depths = np.minimum.reduceat(falls, begins)
    return [_drawdown(falls, int(begins[it]), int(ends[it])) for it in np.argsort(depths, kind="stable")[:n]]


def max_drawdown(equity: FloatArray) -> Drawdown:
    """The deepest fall; depth 0 and rows 0 when the curve never falls."""
    worst = worst_drawdowns(equity, 1)
    return worst[0] if worst else Drawdown(depth=0.0, peak_row=0, trough_row=0, recovery_row=0)


def longest_drawdown(equity: FloatArray) -> int:
    """Most sessions in a row below a previous high; 0 when the curve never falls."""
    at_high = np.flatnonzero(equity >= np.maximum.accumulate(equity))
    return int(np.diff(at_high, append=equity.size).max()) - 1


def ulcer_index(equity: FloatArray) -> float:
    """Root mean square of the drawdown curve, a fraction [1]_: deep and long falls count more than shallow ones.

    References
    ----------
    .. [1] Martin, P. and McCann, B. (1989). "The Investor's Guide to Fidelity Funds". Wiley, ch. 6.
    """
    return math.sqrt(float(np.mean(drawdown_curve(equity) ** 2)))


def _drawdown(falls: FloatArray, begin: int, end: int) -> Drawdown:
    trough = begin + int(np.argmin(falls[begin:end]))
    recovery = end if end < falls.size else None
    return Drawdown(depth=float(falls[trough]), peak_row=begin - 1, trough_row=trough, recovery_row=recovery)
