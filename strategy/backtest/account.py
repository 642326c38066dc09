"""A portfolio as it stands before a fill: what it holds, what it can trade at which price, and what trading costs.

Only the assets that are held or wanted take part: of a universe of thousands a fill then looks at dozens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from strategy.backtest.costs import CostModel, OrderConditions, order_costs
from strategy.panel import BoolArray, FloatArray, IntArray

#: Share of equity to which sums of money are equal.
TINY = 1e-12
#: Below this share of equity a difference is rounding, not an order: more than what a sizing leaves in cash.
NOISE = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What a session offers of the assets that take part; arrays of shape (n_parts,).

    `columns` are the assets, increasing; `prices` is the fill price where `tradable`, and elsewhere the last known
    price (NaN: never had one). `conditions` are those of the costs, and `capacity` the most shares that may change
    hands (None: any number); both are known wherever an asset is tradable.
    """

    columns: IntArray
    prices: FloatArray
    tradable: BoolArray
    session: str
    conditions: OrderConditions | None = None
    capacity: FloatArray | None = None


@dataclass(frozen=True, kw_only=True)
class Account:
    """Shares (negative: sold short) of the assets that take part and cash before a fill, and the market for them.

    Not slotted, because `equity` is computed once.
    """

    shares: FloatArray
    cash: float
    market: Market
    costs: CostModel

    @cached_property
    def prices(self) -> FloatArray:
        """Fill or last known price; 1 where it is not known, which is nowhere held and nowhere tradable."""
        return np.where(np.isfinite(self.market.prices), self.market.prices, 1.0)

    @cached_property
    def equity(self) -> float:
        """Cash and holdings at the prices of the fill."""
        return self.cash + float((self.shares * self.prices).sum())

    def order_costs(self, target: FloatArray) -> FloatArray:
        """Costs of the trades that lead to `target` shares."""
        trades = target - self.shares
        return order_costs(self.costs, trades, self.prices, self.market.conditions)

    def cash_after(self, target: FloatArray) -> float:
        """Cash once the portfolio holds `target` shares, costs paid."""
        bought = float(((target - self.shares) * self.prices).sum())
        return self.cash - bought - float(self.order_costs(target).sum())

    def without_noise(self, target: FloatArray) -> FloatArray:
        """The target, but for differences so small that they are rounding."""
        is_noise = np.abs(target - self.shares) * self.prices <= NOISE * abs(self.equity)
        return np.where(is_noise, self.shares, target)
