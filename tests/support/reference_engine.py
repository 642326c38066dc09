"""The engine once more, day by day and share by share in plain Python: slow, and plain to read.

It shares no code with the real one but the cost of one order.
"""

from __future__ import annotations

import math

import numpy as np

from strategy.backtest.costs import CostModel, order_costs
from strategy.backtest.simulation import Decisions
from strategy.backtest.spec import Execution
from strategy.panel import PricePanel


class Reference:
    """State of a portfolio: shares and last known price by column."""

    def __init__(self, panel: PricePanel, costs: CostModel, execution: Execution) -> None:
        self.panel, self.costs, self.execution = panel, costs, execution
        self.cash = execution.initial_cash
        self.shares = [0.0] * panel.n_assets
        self.last = [math.nan] * panel.n_assets
        self.missing = [0] * panel.n_assets

    def run(self, decisions: Decisions, first: int, last: int) -> list[float]:
        targets = {int(row): decisions.weights[number] for number, row in enumerate(decisions.rows)}
        curve = []
        for row in range(last + 1):
            self.split_and_pay(row)
            if row > first and self.execution.fill == "next_open" and row - 1 in targets and row - 1 >= first:
                self.trade(targets[row - 1].tolist(), self.panel.field("open")[row].tolist(), row)
            for column, close in enumerate(self.panel.close_prices[row].tolist()):
                self.missing[column] = self.missing[column] + 1 if math.isnan(close) else 0
                self.last[column] = self.last[column] if math.isnan(close) else close
            if row > first and self.execution.fill == "next_close" and row - 1 in targets and row - 1 >= first:
                self.trade(targets[row - 1].tolist(), self.panel.close_prices[row].tolist(), row)
            if row < first:
                continue
            self.delist()
            curve.append(self.cash + self.holdings())
            self.cash *= (1 + self.execution.cash_rate) ** (1 / 252)
        return curve

    def holdings(self) -> float:
        return math.fsum(count * self.last[column] for column, count in enumerate(self.shares) if count)

    def split_and_pay(self, row: int) -> None:
        actions = self.panel.actions
        for at, column, ratio, dividend in zip(
            actions.rows, actions.columns, actions.split_ratios, actions.dividends, strict=True
        ):
            if at == row:
                self.shares[column] *= ratio
                self.last[column] /= ratio
                self.cash += self.shares[column] * dividend

    def delist(self) -> None:
        for column, count in enumerate(self.shares):
            if count and self.missing[column] == self.execution.delist_after:
                self.cash += count * self.last[column] * (1 + self.execution.delisting_return)
                self.shares[column] = 0.0

    def trade(self, weights: list[float], fills: list[float], row: int) -> None:
        columns = range(self.panel.n_assets)
        has_close = [bool(np.isfinite(self.panel.close_prices[: row + 1, column]).any()) for column in columns]
        tradable = [not math.isnan(fills[column]) and has_close[column] for column in columns]
        price = [fills[column] if tradable[column] else self.last[column] for column in columns]
        value = [self.shares[column] * price[column] if self.shares[column] else 0.0 for column in columns]
        equity = self.cash + math.fsum(value)
        stuck = math.fsum(value[column] for column in columns if not tradable[column])
        cost = 0.0
        for _ in range(500):  # far more than the fixed point needs
            wanted = [weights[column] * (equity - cost) if tradable[column] else 0.0 for column in columns]
            total, budget = math.fsum(wanted), max(equity - cost - stuck, 0.0)
            scale = budget / total if total > budget else 1.0
            target = [
                wanted[column] * scale / price[column] if tradable[column] else self.shares[column]
                for column in columns
            ]
            deltas = [target[column] - self.shares[column] for column in columns]
            cost = math.fsum(self.order_cost(deltas[column], price[column], equity) for column in columns)
        for column in columns:
            if abs(deltas[column]) * (price[column] if deltas[column] else 0.0) > 1e-12 * equity:
                self.cash -= deltas[column] * price[column]
                self.shares[column] = target[column]
        self.cash -= cost

    def order_cost(self, delta: float, price: float, equity: float) -> float:
        if delta == 0 or abs(delta) * price <= 1e-12 * equity:
            return 0.0
        return float(order_costs(self.costs, np.array([delta]), np.array([price]))[0])
