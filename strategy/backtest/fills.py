"""Sizing of a rebalance: from target weights and fill prices to whole or fractional shares, costs included.

The value that can be invested is the equity less the costs of exactly the trades that invest it. The costs are found by
fixed-point iteration: one more unit of cost shrinks the targets by at most one unit, and the costs of that by the cost
rate, which is far below 1, so the iteration contracts. Where it does not (a cost that jumps between two tiers, an
impact as large as the portfolio), the least amount is found by bisection that covers the costs of the trades it leaves
money for; what is left of it stays in cash.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strategy.backtest.costs import CostModel, OrderConditions, order_costs
from strategy.errors import ExecutionError
from strategy.panel import BoolArray, FloatArray

#: Below this share of equity a difference is rounding, not an order.
_TINY = 1e-12
_MAX_ITERATIONS = 50
#: Share of equity that costs must leave: a portfolio that is spent on them is an error, not a result.
_LEAST_INVESTED = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Prices at one fill; arrays of shape (n_assets,).

    `prices` is the fill price where `tradable`, and elsewhere the last known price (NaN: never had one). `conditions`
    are those of the costs, known wherever an asset is tradable.
    """

    prices: FloatArray
    tradable: BoolArray
    session: str
    conditions: OrderConditions | None = None


def filled_shares(
    shares: FloatArray, cash: float, weights: FloatArray, market: Market, *, costs: CostModel, is_fractional: bool
) -> tuple[FloatArray, FloatArray]:
    """Shares held after the fill, and the cost of each order; both of shape (n_assets,).

    An asset that is not tradable keeps its shares. If these leave less than the targets need, the targets of the others
    shrink in proportion, so that cash never goes below zero (beyond rounding).

    Raises
    ------
    ExecutionError
        If the costs exceed the equity, or do not converge.
    """
    used = (weights > 0) | (shares != 0)
    tradable = market.tradable & used
    prices = np.where(used, market.prices, 1.0)
    values = shares * prices
    equity = cash + float(values.sum())
    held_fast = float(values[~tradable].sum())
    wanted = np.where(tradable, weights, 0.0)
    sizing = _Sizing(
        shares=shares,
        prices=prices,
        tradable=tradable,
        wanted=wanted,
        equity=equity,
        held_fast=held_fast,
        costs=costs,
        conditions=market.conditions,
    )
    target = sizing.converged(market.session)
    if not is_fractional:
        target = _whole(target, sizing, cash)
    return target, sizing.order_costs(target)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizing:
    shares: FloatArray
    prices: FloatArray
    tradable: BoolArray
    wanted: FloatArray
    equity: float
    held_fast: float
    costs: CostModel
    conditions: OrderConditions | None

    def order_costs(self, target: FloatArray) -> FloatArray:
        """Costs of the trades that lead to the target."""
        trades = target - self.shares
        if self.conditions is None:
            return order_costs(self.costs, trades, self.prices)
        # What is not known of an asset that is not traded is no part of a sum.
        return np.where(trades != 0, order_costs(self.costs, trades, self.prices, self.conditions), 0.0)

    def converged(self, session: str) -> FloatArray:
        """Target shares whose trades cost what was set aside for them."""
        cost = 0.0
        for _ in range(_MAX_ITERATIONS):
            target = self.target(cost)
            total = float(self.order_costs(target).sum())
            if abs(total - cost) <= _TINY * self.equity:
                return target
            if total > self.equity:
                break
            cost = total
        return self._covered(session)

    def _covered(self, session: str) -> FloatArray:
        """Target shares for the least amount that covers the costs of their trades, by bisection."""
        low, high = 0.0, self.equity
        while high - low > _TINY * self.equity:
            middle = (low + high) / 2
            is_covered = float(self.order_costs(self.target(middle)).sum()) <= middle
            low, high = (low, middle) if is_covered else (middle, high)
        if high >= self.equity * (1 - _LEAST_INVESTED):
            cost = float(self.order_costs(self.target(0.0)).sum())
            raise ExecutionError("costs", round(cost, 2), f"exceed the portfolio's value on {session}")
        return self.target(high)

    def target(self, cost: float) -> FloatArray:
        """Target shares when `cost` is set aside."""
        investable = self.equity - cost
        values = self.wanted * investable
        total, budget = float(values.sum()), max(investable - self.held_fast, 0.0)
        if total > budget:
            values = values * (budget / total)
        target = np.where(self.tradable, values / self.prices, self.shares)
        is_noise = np.abs(target - self.shares) * self.prices <= _TINY * self.equity
        return np.where(is_noise, self.shares, target)


def _whole(target: FloatArray, sizing: _Sizing, cash: float) -> FloatArray:
    """The targets rounded down to whole shares; buys give way, one by one, while cash would fall below zero."""
    whole = np.where(sizing.tradable, np.floor(target + 1e-9), sizing.shares)
    while True:
        trades = whole - sizing.shares
        left = cash - float((trades * sizing.prices).sum())
        left -= float(sizing.order_costs(whole).sum())
        bought = np.where(trades > 0, trades * sizing.prices, 0.0)
        if left >= -_TINY * sizing.equity or not bought.any():
            return whole
        largest = int(np.argmax(bought))
        whole[largest] -= min(np.ceil(-left / sizing.prices[largest]), trades[largest])
