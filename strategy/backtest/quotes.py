"""What a session offers to a portfolio: fill prices, what is known where there is none, and what limits an order."""

from __future__ import annotations

import numpy as np

from strategy.backtest.account import Market
from strategy.backtest.costs import CostModel
from strategy.backtest.liquidity import mean_volume, order_conditions
from strategy.backtest.spec import Execution
from strategy.backtest.valuation import valuation_prices
from strategy.panel import FloatArray, IntArray, PricePanel


class Quotes:
    """The market of every session of a panel, under one execution; `row` arguments are panel rows."""

    def __init__(self, panel: PricePanel, costs: CostModel, execution: Execution) -> None:
        self._panel, self._costs, self._execution = panel, costs, execution
        self._closes = valuation_prices(panel)
        self._fills = panel.field("open" if execution.fill == "next_open" else "close")

    def market(self, row: int, columns: IntArray) -> Market:
        """What the session offers of some assets."""
        prices = self._fills[row, columns]
        tradable = np.isfinite(prices) & np.isfinite(self._closes[row, columns])
        conditions = order_conditions(self._panel, self._costs, row)
        if conditions is not None:
            conditions = conditions.of(columns)
            tradable &= conditions.is_known
        capacity = None
        if self._execution.volume_cap is not None:
            capacity = self._execution.volume_cap * mean_volume(self._panel, row)[columns]
            tradable &= np.isfinite(capacity)
        if not tradable.all():
            prices = np.where(tradable, prices, self.last_known(row)[columns])
        return Market(
            columns=columns,
            prices=prices,
            tradable=tradable,
            session=str(self._panel.sessions[row]),
            conditions=conditions,
            capacity=capacity,
        )

    def fill_price(self, row: int, column: int) -> float:
        """Fill price of one asset, NaN where there is none."""
        return float(self._fills[row, column])

    def last_known(self, row: int) -> FloatArray:
        """Prices known at the fill, shape (n_assets,): the closes before it, across a split of the day; or its own."""
        if self._execution.fill == "next_close":
            closes: FloatArray = self._closes[row]
            return closes
        known: FloatArray = self._closes[row - 1].copy()
        actions = self._panel.actions
        today = slice(*np.searchsorted(actions.rows, (row, row + 1)))
        known[actions.columns[today]] /= actions.split_ratios[today]
        return known
