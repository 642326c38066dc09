"""12-1 momentum by a bare numpy loop over rebalances, with exact share accounting: what nothing general can beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
LOOKBACK, SKIP, TOP_N = 231, 21, 50
BPS, FLAT, INITIAL_CASH = 10.0, 3.0, 1_000_000.0


def month_ends(sessions: NDArray[np.datetime64]) -> NDArray[np.intp]:
    """The last row of each month that has a session after it."""
    months = sessions.astype("datetime64[M]")
    return np.flatnonzero(months[1:] != months[:-1])


def equity_curve(
    close: FloatArray, sessions: NDArray[np.datetime64]
) -> tuple[FloatArray, NDArray[np.intp], list[float]]:
    """Equity at each close, rows of the decisions, and the share of equity that each invests, costs taken off.

    Decisions at a month's last close fill at the next one.
    """
    rows = month_ends(sessions)
    rows = rows[rows >= LOOKBACK + SKIP]
    strength = close[rows - SKIP] / close[rows - SKIP - LOOKBACK]
    picked = np.argpartition(-strength, TOP_N, axis=1)[:, :TOP_N]
    equity, shares, cash, begin = np.empty(len(close)), np.zeros(close.shape[1]), INITIAL_CASH, 0
    held = np.flatnonzero(shares)
    invested: list[float] = []
    for row, columns in zip(rows + 1, picked, strict=True):
        equity[begin:row] = cash + close[begin:row, held] @ shares[held]
        prices = close[row]
        value, cost = cash + float(shares @ prices), 0.0
        for _ in range(100):  # costs are paid out of what is invested: a fixed point, reached in a few steps
            target = np.zeros(shares.size)
            target[columns] = (value - cost) / TOP_N / prices[columns]
            trades = target - shares
            total = BPS / 1e4 * float(np.abs(trades) @ prices) + FLAT * np.count_nonzero(trades)
            if abs(total - cost) <= 1e-12 * value:
                break
            cost = total
        cash -= float(trades @ prices) + total
        invested.append(float((value - total) / value))
        shares, begin = target, row
        held = np.flatnonzero(shares)
    equity[begin:] = cash + close[begin:, held] @ shares[held]
    return equity, rows, invested


def metrics(equity: FloatArray) -> dict[str, float]:
    """A handful of figures."""
    returns = equity[1:] / equity[:-1] - 1
    falls = equity / np.maximum.accumulate(equity) - 1
    return {
        "final_equity": float(equity[-1]),
        "volatility": float(returns.std(ddof=1) * 252**0.5),
        "sharpe": float(returns.mean() / returns.std(ddof=1) * 252**0.5),
        "max_drawdown": float(falls.min()),
    }
