"""What keeps orders from going where they should: turnover, lots, least size, and the volume of the market.

1. `wanted_shares`: the target within the turnover limit, in lots, without orders that are too small. This is what is
   asked of the market.
2. `reached_shares`: what the market gives of it in one session, within its capacity and what can be paid for.
3. `unreached`: what is left, and can be carried on to the next session.
"""

from __future__ import annotations

import numpy as np

from strategy.backtest.account import NOISE, TINY, Account
from strategy.backtest.spec import Execution
from strategy.panel import BoolArray, FloatArray

#: Steps of the search for the share of purchases that can be paid for: 2 ** -50 of them are rounding.
_BISECTIONS = 50


def wanted_shares(account: Account, target: FloatArray, execution: Execution) -> FloatArray:
    """Target shares within the turnover limit and the rules on orders, shape (n_parts,)."""
    wanted = target
    if execution.maximum_turnover is not None:
        traded = float((np.abs(target - account.shares) * account.prices).sum()) / 2
        allowed = execution.maximum_turnover * account.equity
        if traded > allowed:
            wanted = account.shares + (target - account.shares) * (allowed / traded)
    return placeable_shares(account, wanted, execution)


def reached_shares(account: Account, wanted: FloatArray, execution: Execution) -> FloatArray:
    """Shares after the fills of one session, shape (n_parts,): towards `wanted`, as far as market and cash go."""
    reached = wanted
    if account.market.capacity is not None:
        capacity = np.where(account.market.tradable, account.market.capacity, 0.0)
        reached = account.shares + np.clip(wanted - account.shares, -capacity, capacity)
        reached = placeable_shares(account, reached, execution)
    if account.cash_after(reached) < -TINY * account.equity:
        reached = _whole_paid(account, reached, execution) if _lot(execution) else _paid(account, reached)
        reached = placeable_shares(account, reached, execution)
    return reached


def unreached(account: Account, wanted: FloatArray, reached: FloatArray, execution: Execution) -> BoolArray:
    """Assets of which an order is left that could still be placed, shape (n_parts,)."""
    left = np.abs(wanted - reached)
    value = left * account.prices
    is_placeable = value > max(NOISE * account.equity, execution.minimum_order)
    return is_placeable & (left >= _lot(execution)) if _lot(execution) else is_placeable


def placeable_shares(account: Account, target: FloatArray, execution: Execution) -> FloatArray:
    """The target in lots, and without orders below the least value."""
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
