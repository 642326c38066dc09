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

#: Below this share of equity a difference is rounding, not an order: more than what a sizing leaves in cash.
_NOISE = 1e-10
#: Share of equity to which what is set aside for costs equals them.
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
    # Only what is held or wanted takes part: of a universe of thousands a fill then looks at dozens.
    used = np.flatnonzero((weights > 0) | (shares != 0))
    prices, tradable = market.prices[used], market.tradable[used]
    values = shares[used] * prices
    traded = used[tradable]
    sizing = _Sizing(
        shares=shares[traded],
        prices=prices[tradable],
        wanted=weights[traded],
        equity=cash + float(values.sum()),
        held_fast=float(values[~tradable].sum()),
        costs=costs,
        conditions=None if market.conditions is None else market.conditions.of(traded),
    )
    part, part_costs = sizing.converged(market.session)
    if not is_fractional:
        part, part_costs = _whole(part, sizing, cash)
    target, paid = shares.copy(), np.zeros(shares.size)
    target[traded], paid[traded] = part, part_costs
    return target, paid


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizing:
    """What can be traded; arrays of shape (n_traded,)."""

    shares: FloatArray
    prices: FloatArray
    wanted: FloatArray
    equity: float
    held_fast: float
    costs: CostModel
    conditions: OrderConditions | None

    def order_costs(self, target: FloatArray) -> FloatArray:
        """Costs of the trades that lead to the target."""
        return order_costs(self.costs, target - self.shares, self.prices, self.conditions)

    def converged(self, session: str) -> tuple[FloatArray, FloatArray]:
        """Target shares whose trades cost what was set aside for them, and those costs."""
        cost, before = 0.0, None
        for _ in range(_MAX_ITERATIONS):
            target = self.target(cost)
            costs = self.order_costs(target)
            total = float(costs.sum())
            if abs(total - cost) <= _TINY * self.equity:
                return target, costs
            if total > self.equity:
                break
            before, cost = (cost, total), _next_guess(before, cost, total)
        return self._covered(session)

    def _covered(self, session: str) -> tuple[FloatArray, FloatArray]:
        """Target shares for the least amount that covers the costs of their trades, by bisection, and those costs."""
        low, high = 0.0, self.equity
        while high - low > _TINY * self.equity:
            middle = (low + high) / 2
            is_covered = float(self.order_costs(self.target(middle)).sum()) <= middle
            low, high = (low, middle) if is_covered else (middle, high)
        if high >= self.equity * (1 - _LEAST_INVESTED):
            cost = float(self.order_costs(self.target(0.0)).sum())
            raise ExecutionError("costs", round(cost, 2), f"exceed the portfolio's value on {session}")
        target = self.target(high)
        return target, self.order_costs(target)

    def target(self, cost: float) -> FloatArray:
        """Target shares when `cost` is set aside."""
        investable = self.equity - cost
        values = self.wanted * investable
        total, budget = float(values.sum()), max(investable - self.held_fast, 0.0)
        if total > budget:
            values *= budget / total
        target: FloatArray = values / self.prices
        is_noise = np.abs(target - self.shares) * self.prices <= _NOISE * self.equity
        np.copyto(target, self.shares, where=is_noise)
        return target


def _next_guess(before: tuple[float, float] | None, cost: float, total: float) -> float:
    """Where the straight line through the last two pairs of (set aside, cost of the trades) meets equality.

    Costs are linear in what is set aside but for their kinks, so that this ends the iteration a step or two earlier
    than setting aside what the last trades cost, as the first step does and any that the line would lead astray.
    """
    if before is None or cost == before[0]:
        return total
    slope = (total - before[1]) / (cost - before[0])
    guess = (total - slope * cost) / (1 - slope) if abs(slope) < 1 else total
    return guess if guess >= 0 else total


def _whole(target: FloatArray, sizing: _Sizing, cash: float) -> tuple[FloatArray, FloatArray]:
    """The targets rounded down to whole shares; buys give way, one by one, while cash would fall below zero."""
    whole = np.floor(target + 1e-9)
    while True:
        trades = whole - sizing.shares
        left = cash - float((trades * sizing.prices).sum())
        costs = sizing.order_costs(whole)
        left -= float(costs.sum())
        bought = np.where(trades > 0, trades * sizing.prices, 0.0)
        if left >= -_TINY * sizing.equity or not bought.any():
            return whole, costs
        largest = int(np.argmax(bought))
        whole[largest] -= min(np.ceil(-left / sizing.prices[largest]), trades[largest])
