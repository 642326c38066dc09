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
        self.waiting: dict[int, float] = {}

    def run(self, decisions: Decisions, first: int, last: int) -> list[float]:
        targets = {int(row): decisions.weights[number] for number, row in enumerate(decisions.rows)}
        curve = []
        for row in range(last + 1):
            self.split_and_pay(row)
            if row > first and self.execution.fill == "next_open" and row - 1 in targets and row - 1 >= first:
                self.trade(targets[row - 1].tolist(), self.panel.field("open")[row].tolist(), row)
            elif row > first and self.execution.fill == "next_open" and self.waiting:
                self.try_again(self.panel.field("open")[row].tolist(), row)
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
            if self.missing[column] == self.execution.delist_after:
                self.waiting.pop(column, None)
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
        is_order = {
            column: abs(deltas[column]) * (price[column] if deltas[column] else 0.0) > 1e-10 * equity
            for column in columns
        }
        wanted_trades = {column: deltas[column] for column in columns if is_order[column]}
        if self.execution.maximum_turnover is not None:
            half = math.fsum(abs(count) * price[column] for column, count in wanted_trades.items()) / 2
            shrink = min(1.0, self.execution.maximum_turnover * equity / half) if half else 1.0
            wanted_trades = {column: count * shrink for column, count in wanted_trades.items()}
        self.send(wanted_trades, price, row, equity)

    def try_again(self, fills: list[float], row: int) -> None:
        """What the volume left of the last rebalance, where there is a price; the rest keeps waiting."""
        there = {column: count for column, count in self.waiting.items() if not math.isnan(fills[column])}
        absent = {column: count for column, count in self.waiting.items() if column not in there}
        value = math.fsum(
            count * (self.last[column] if math.isnan(fills[column]) else fills[column])
            for column, count in enumerate(self.shares)
            if count
        )
        self.send(there, fills, row, self.cash + value)
        self.waiting |= absent

    def send(self, wanted: dict[int, float], price: list[float], row: int, equity: float) -> None:
        """Fill what volume, cash and minimum allow of signed orders, shares by column."""
        trades = {column: self.capped(column, count, row) for column, count in wanted.items()}
        is_cut = any(trades[column] != count for column, count in wanted.items())
        trades = self.large_enough(trades, price)
        if self.cash_after(trades, price, equity) < -1e-12 * equity:
            low, high = 0.0, 1.0  # the share of all purchases that can be paid for
            for _ in range(60):
                middle = (low + high) / 2
                is_paid = self.cash_after(self.cut(trades, middle), price, equity) >= 0
                low, high = (middle, high) if is_paid else (low, middle)
            trades = self.large_enough(self.cut(trades, low), price)
        cost = math.fsum(self.order_cost(count, price[column], equity) for column, count in trades.items())
        for column, count in trades.items():
            self.cash -= count * price[column]
            self.shares[column] = 0.0 if count == -self.shares[column] else self.shares[column] + count
        self.cash -= cost
        self.waiting = {c: wanted[c] - trades[c] for c in wanted if wanted[c] != trades[c]} if is_cut else {}

    def large_enough(self, trades: dict[int, float], price: list[float]) -> dict[int, float]:
        least = self.execution.minimum_order
        return {c: count if abs(count) * price[c] >= least else 0.0 for c, count in trades.items()}

    def cut(self, trades: dict[int, float], share: float) -> dict[int, float]:
        return {column: count * share if count > 0 else count for column, count in trades.items()}

    def cash_after(self, trades: dict[int, float], price: list[float], equity: float) -> float:
        cost = math.fsum(self.order_cost(count, price[column], equity) for column, count in trades.items())
        return self.cash - cost - math.fsum(count * price[column] for column, count in trades.items())

    def capped(self, column: int, count: float, row: int) -> float:
        if self.execution.volume_cap is None:
            return count
        volumes = self.panel.field("volume")[max(row - 20, 0) : row, column]
        known = volumes[np.isfinite(volumes)]
        most = self.execution.volume_cap * float(known.mean()) if known.size else 0.0
        return math.copysign(min(abs(count), most), count)

    def order_cost(self, delta: float, price: float, equity: float) -> float:
        if delta == 0 or abs(delta) * price <= 1e-12 * equity:
            return 0.0
        return float(order_costs(self.costs, np.array([delta]), np.array([price]))[0])
