"""What keeps orders from going where they should: turnover, lots, least size, and the volume of the market.

1. `wanted_shares`: the target within the turnover limit. This is what is asked of the market.
2. `reached_shares`: what the market gives of it in one session, within its capacity, in lots, without orders that are
   too small, and within what can be paid for.
3. `is_capped`: whether the volume kept any order back, so that what is left is worth another session.
"""

from __future__ import annotations

import numpy as np

from strategy.backtest.account import TINY, Account
from strategy.backtest.spec import Execution
from strategy.panel import FloatArray

#: Steps of the search for the share of purchases that can be paid for: 2 ** -50 of them are rounding.
_BISECTIONS = 50


def wanted_shares(account: Account, target: FloatArray, execution: Execution) -> FloatArray:
    """Target shares within the turnover limit, shape (n_parts,)."""
    if execution.maximum_turnover is None:
        return target
    traded = float((np.abs(target - account.shares) * account.prices).sum()) / 2
    allowed = execution.maximum_turnover * account.equity
    return target if traded <= allowed else account.shares + (target - account.shares) * (allowed / traded)


def reached_shares(account: Account, wanted: FloatArray, execution: Execution) -> FloatArray:
    """Shares after the fills of one session, shape (n_parts,): towards `wanted`, as far as market and cash go."""
    reached = wanted
    if account.market.capacity is not None:
        capacity = np.where(account.market.tradable, account.market.capacity, 0.0)
        # What is within the capacity goes through as it is, free of rounding.
        capped = account.shares + np.clip(wanted - account.shares, -capacity, capacity)
        reached = np.where(np.abs(wanted - account.shares) <= capacity, wanted, capped)
    reached = _placeable(account, reached, execution)
    if account.cash_after(reached) < -TINY * account.equity:
        reached = _whole_paid(account, reached, execution) if _lot(execution) else _paid(account, reached)
        reached = _placeable(account, reached, execution)
    return reached


def is_capped(account: Account, wanted: FloatArray) -> bool:
    """Whether an order is larger than the market's capacity."""
    capacity = account.market.capacity
    if capacity is None:
        return False
    return bool((account.market.tradable & (np.abs(wanted - account.shares) > capacity)).any())


def _placeable(account: Account, target: FloatArray, execution: Execution) -> FloatArray:
    """The target in lots, and without orders below the least value, shape (n_parts,)."""
    lot, trades = _lot(execution), target - account.shares
    if lot:
        # A hair below a whole lot is rounding. What is left of a holding may be sold in one go, also if it is no lot.
        in_lots = np.sign(trades) * np.floor(np.abs(trades) / lot + 1e-9) * lot
        target = np.where(target == 0, target, account.shares + in_lots)
    if execution.minimum_order:
        is_small = np.abs(target - account.shares) * account.prices < execution.minimum_order
        target = np.where(is_small, account.shares, target)
    return target


def _lot(execution: Execution) -> int:
    """Shares of which an order is a multiple; 0: parts of a share can be traded."""
    return 0 if execution.fractional_shares else execution.lot_size


def _paid(account: Account, target: FloatArray) -> FloatArray:
    """The target with all purchases cut by one factor to what can be paid for; nothing where not even sales can."""
    trades = target - account.shares
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        is_paid = account.cash_after(account.shares + np.where(trades > 0, trades * middle, trades)) >= 0
        low, high = (middle, high) if is_paid else (low, middle)
    cut = account.shares + np.where(trades > 0, trades * low, trades)
    after = account.cash_after(cut)
    return account.shares if after < 0 and after < account.cash else account.without_noise(cut)


def _whole_paid(account: Account, target: FloatArray, execution: Execution) -> FloatArray:
    """The target with purchases given up in lots, the largest first, until they can be paid for."""
    lot, reached = _lot(execution), target.copy()
    while True:
        trades = reached - account.shares
        bought = np.where(trades > 0, trades * account.prices, 0.0)
        missing = -account.cash_after(reached)
        if missing <= TINY * account.equity or not bought.any():
            return reached
        largest = int(np.argmax(bought))
        lots = np.ceil(missing / (account.prices[largest] * lot)) * lot
        reached[largest] -= min(lots, trades[largest])
