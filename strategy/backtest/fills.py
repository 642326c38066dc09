"""Sizing of a rebalance: from target weights and fill prices to shares, costs included.

The value that can be invested is the equity less the costs of exactly the trades that invest it. The costs are found by
fixed-point iteration: one more unit of cost shrinks the targets by at most one unit, and the costs of that by the cost
rate, which is far below 1, so the iteration contracts. Where it does not (a cost that jumps between two tiers, an
impact as large as the portfolio), the least amount is found by bisection that covers the costs of the trades it leaves
money for; what is left of it stays in cash.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strategy.backtest.account import TINY, Account
from strategy.errors import ExecutionError
from strategy.panel import FloatArray

_MAX_ITERATIONS = 50
#: Share of equity that costs must leave: a portfolio that is spent on them is an error, not a result.
_LEAST_INVESTED = 1e-6


def target_shares(account: Account, weights: FloatArray) -> FloatArray:
    """Shares that bring every tradable asset to its weight, of the equity that the costs of the trades leave.

    An asset that is not tradable keeps its shares. If these leave less than the targets need, the targets of the others
    shrink in proportion, so that cash never goes below zero (beyond rounding).

    Parameters
    ----------
    account : Account
    weights : ndarray of shape (n_parts,)
        Shares of equity; negative: sold short.

    Returns
    -------
    ndarray of shape (n_parts,)
        Parts of shares included.

    Raises
    ------
    ExecutionError
        If the costs exceed the equity.
    """
    tradable = account.market.tradable
    values = account.shares * account.prices
    sizing = _Sizing(
        account=account,
        wanted=np.where(tradable, weights, 0.0),
        held_fast=float(values[~tradable].sum()),
    )
    return sizing.converged(account.market.session)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizing:
    account: Account
    wanted: FloatArray
    held_fast: float

    def converged(self, session: str) -> FloatArray:
        """Target shares whose trades cost what was set aside for them."""
        cost, before, equity = 0.0, None, self.account.equity
        for _ in range(_MAX_ITERATIONS):
            target = self.target(cost)
            total = self.cost(target)
            if abs(total - cost) <= TINY * equity:
                return target
            if total > equity:
                break
            before, cost = (cost, total), _next_guess(before, cost, total)
        return self._covered(session)

    def cost(self, target: FloatArray) -> float:
        """Costs of the trades to the target, base currency."""
        return float(self.account.order_costs(target).sum())

    def _covered(self, session: str) -> FloatArray:
        """Target shares for the least amount that covers the costs of their trades, by bisection."""
        low, high = 0.0, self.account.equity
        while high - low > TINY * self.account.equity:
            middle = (low + high) / 2
            is_covered = self.cost(self.target(middle)) <= middle
            low, high = (low, middle) if is_covered else (middle, high)
        if high >= self.account.equity * (1 - _LEAST_INVESTED):
            cost = self.cost(self.target(0.0))
            raise ExecutionError("costs", round(cost, 2), f"exceed the portfolio's value on {session}")
        return self.target(high)

    def target(self, cost: float) -> FloatArray:
        """Target shares when `cost` is set aside."""
        account = self.account
        investable = account.equity - cost
        values = self.wanted * investable
        total, budget = float(values.sum()), max(investable - self.held_fast, 0.0)
        if total > budget:
            values = values * (budget / total)
        return account.without_noise(np.where(account.market.tradable, values / account.prices, account.shares))


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
