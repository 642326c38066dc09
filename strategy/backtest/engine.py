"""The backtest engine: exact accounting in shares and cash, event by event.

A session t runs in this order:

1. before the open: splits multiply the shares held, dividends (per share after the split) are credited to cash;
2. fill: the weights decided at the close of t-1 are traded at the open of t (or at its close); an asset without a
   price is not traded, and a held one keeps its last known value;
3. close: a holding without a close for `delist_after` sessions is sold at its last price; the portfolio is valued at
   the last known closes;
4. overnight: interest accrues on cash.

Between events neither shares nor cash change but by interest, so whole segments are valued by one product.
"""

from __future__ import annotations

import numpy as np

from strategy.backtest.costs import CostModel
from strategy.backtest.fills import Market, filled_shares
from strategy.backtest.liquidity import order_conditions, refuse_short_history
from strategy.backtest.simulation import Decisions, Orders, Simulation
from strategy.backtest.spec import Execution
from strategy.backtest.valuation import delistings, valuation_prices
from strategy.errors import ExecutionError
from strategy.panel import Field, FloatArray, IntArray, PricePanel

#: Sessions in a year by which an annual interest rate is spread.
SESSIONS_PER_YEAR = 252
#: Sessions that are valued at once: the closes of what is held stay in the processor's cache.
_ROWS_AT_ONCE = 256


def simulate(
    panel: PricePanel,
    decisions: Decisions,
    *,
    costs: CostModel,
    execution: Execution,
    first_row: int,
    last_row: int,
) -> Simulation:
    """Trade the decisions from `first_row` (all cash) to `last_row`, both included.

    Raises
    ------
    ExecutionError
        If orders are to fill at an open that no asset has, or costs exceed the portfolio's value.
    """
    if not 0 <= first_row < last_row < panel.n_dates:
        raise ExecutionError(
            "last_row", last_row, f"needs two sessions or more between {first_row} and {panel.n_dates}"
        )
    portfolio = _Portfolio(panel, costs, execution, first_row, last_row)
    fills = {int(row) + 1: number for number, row in enumerate(decisions.rows) if first_row <= row < last_row}
    _refuse_missing_opens(panel, decisions, execution)
    refuse_short_history(panel, decisions, costs)
    for row in portfolio.event_rows(fills):
        portfolio.hold_until(row)
        portfolio.apply_actions(row)
        if row in fills:
            portfolio.fill(row, int(decisions.rows[fills[row]]), decisions.weights[fills[row]])
        portfolio.delist(row)
        portfolio.close(row)
    portfolio.hold_until(last_row + 1)
    return portfolio.result()


class _Portfolio:
    """Shares and cash as they change; `row` arguments are panel rows."""

    def __init__(
        self, panel: PricePanel, costs: CostModel, execution: Execution, first_row: int, last_row: int
    ) -> None:
        self._panel = panel
        self._costs = costs
        self._execution = execution
        self._rows = np.arange(first_row, last_row + 1)
        self._valuation = valuation_prices(panel)
        self._delistings = _grouped(*delistings(panel.close_prices, execution.delist_after))
        self._actions = _grouped(panel.actions.rows, np.arange(panel.actions.rows.size))
        self._growth = (1 + execution.cash_rate) ** (1 / SESSIONS_PER_YEAR)
        self._shares = np.zeros(panel.n_assets)
        self._cash = execution.initial_cash
        self._dividends = self._interest = 0.0
        self._done = first_row
        self._equity_curve = np.empty(self._rows.size)
        self._cash_curve = np.empty(self._rows.size)
        self._equity_curve[0] = self._cash_curve[0] = self._cash
        self._events: list[tuple[int, FloatArray]] = []
        self._orders: list[tuple[int, int, IntArray, FloatArray, FloatArray, FloatArray, str]] = []

    def event_rows(self, fills: dict[int, int]) -> list[int]:
        """Rows on which shares or cash may change, increasing."""
        first, last = int(self._rows[0]), int(self._rows[-1])
        rows = {*fills, *self._delistings, *self._actions}
        return sorted(row for row in rows if first < row <= last)

    def hold_until(self, row: int) -> None:
        """Value the sessions before `row` that are not done, and let interest accrue up to its open."""
        begin = self._done + 1
        if row > begin:
            steps = self._growth ** np.arange(1, row - begin + 1)
            cash = self._cash * steps
            self._record(begin, row, cash, self._values(begin, row))
            self._interest += float(cash[-1]) - self._cash
            self._cash = float(cash[-1])
        if row <= self._rows[-1]:
            accrued = self._cash * (self._growth - 1)
            self._interest += accrued
            self._cash += accrued
        self._done = row - 1

    def apply_actions(self, row: int) -> None:
        """Splits, then dividends, of the assets held."""
        for number in self._actions.get(row, ()):
            column = self._panel.actions.columns[number]
            if self._shares[column] == 0:
                continue
            self._shares[column] *= self._panel.actions.split_ratios[number]
            credited = float(self._shares[column] * self._panel.actions.dividends[number])
            self._cash += credited
            self._dividends += credited
            self._note_shares(row)

    def fill(self, row: int, decision_row: int, weights: FloatArray) -> None:
        """Trade towards the weights at the prices of this session."""
        field: Field = "open" if self._execution.fill == "next_open" else "close"
        prices = self._panel.field(field)[row]
        tradable = np.isfinite(prices) & np.isfinite(self._valuation[row])
        conditions = order_conditions(self._panel, self._costs, row)
        if conditions is not None:
            tradable &= conditions.is_known
        market = Market(
            prices=np.where(tradable, prices, self._last_known(row)),
            tradable=tradable,
            session=str(self._panel.sessions[row]),
            conditions=conditions,
        )
        target, costs = filled_shares(
            self._shares,
            self._cash,
            weights,
            market,
            costs=self._costs,
            is_fractional=self._execution.fractional_shares,
        )
        self._trade(row, decision_row, "rebalance", target=target, prices=market.prices, costs=costs)

    def delist(self, row: int) -> None:
        """Sell what has had no close for too long, at its last price and the stated return, at no cost."""
        if row not in self._delistings:
            return
        target = self._shares.copy()
        target[self._delistings[row]] = 0.0
        prices = self._valuation[row] * (1 + self._execution.delisting_return)
        self._trade(row, row, "delisting", target=target, prices=prices, costs=np.zeros(target.size))

    def close(self, row: int) -> None:
        """Value the session of an event."""
        self._record(row, row + 1, np.array([self._cash]), self._values(row, row + 1))
        self._done = row

    def result(self) -> Simulation:
        """The simulation, once every session is done."""
        orders = self._orders
        counts = [order[2].size for order in orders]
        shape = (len(self._events), self._panel.n_assets)
        return Simulation(
            rows=self._rows,
            equity=self._equity_curve,
            cash=self._cash_curve,
            event_rows=np.array([row for row, _ in self._events], dtype=np.intp),
            event_shares=np.array([shares for _, shares in self._events]).reshape(shape),
            orders=Orders(
                decision_rows=np.repeat(np.array([order[1] for order in orders], dtype=np.intp), counts),
                fill_rows=np.repeat(np.array([order[0] for order in orders], dtype=np.intp), counts),
                columns=_joined([order[2] for order in orders]).astype(np.intp),
                shares=_joined([order[3] for order in orders]),
                prices=_joined([order[4] for order in orders]),
                costs=_joined([order[5] for order in orders]),
                kinds=np.repeat(np.array([order[6] for order in orders], dtype=np.str_), counts),
            ),
            final_holdings=float(self._equity_curve[-1] - self._cash_curve[-1]),
            dividends=self._dividends,
            interest=self._interest,
        )

    def _trade(
        self,
        row: int,
        decision_row: int,
        kind: str,
        *,
        target: FloatArray,
        prices: FloatArray,
        costs: FloatArray,
    ) -> None:
        columns = np.flatnonzero(target != self._shares)
        if columns.size == 0:
            return
        trades = target[columns] - self._shares[columns]
        self._cash -= float((trades * prices[columns]).sum() + costs[columns].sum())
        self._shares = target
        self._orders.append((row, decision_row, columns, trades, prices[columns], costs[columns], kind))
        self._note_shares(row)

    def _note_shares(self, row: int) -> None:
        if self._events and self._events[-1][0] == row:
            self._events.pop()
        self._events.append((row, self._shares.copy()))

    def _last_known(self, row: int) -> FloatArray:
        """Prices known at the open of a session: the closes before it, across a split of the day; or its own close."""
        if self._execution.fill == "next_close":
            closes: FloatArray = self._valuation[row]
            return closes
        known: FloatArray = self._valuation[row - 1].copy()
        for number in self._actions.get(row, ()):
            known[self._panel.actions.columns[number]] /= self._panel.actions.split_ratios[number]
        return known

    def _values(self, begin: int, stop: int) -> FloatArray:
        held = np.flatnonzero(self._shares)
        if held.size == self._shares.size:
            return self._valuation[begin:stop] @ self._shares
        values = np.empty(stop - begin)
        for first in range(begin, stop, _ROWS_AT_ONCE):
            last = min(first + _ROWS_AT_ONCE, stop)
            part = self._valuation[first:last].take(held, axis=1)
            np.dot(part, self._shares[held], out=values[first - begin : last - begin])
        return values

    def _record(self, begin: int, stop: int, cash: FloatArray, holdings: FloatArray) -> None:
        part = slice(begin - int(self._rows[0]), stop - int(self._rows[0]))
        self._cash_curve[part] = cash
        self._equity_curve[part] = cash + holdings


def _refuse_missing_opens(panel: PricePanel, decisions: Decisions, execution: Execution) -> None:
    if execution.fill != "next_open":
        return
    weighted = (decisions.weights > 0).any(axis=0)
    if weighted.any() and not np.isfinite(panel.field("open")[:, weighted]).any():
        raise ExecutionError("fill", "next_open", "the universe has no open prices; use fill=next_close")


def _grouped(keys: IntArray, values: IntArray) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for key, value in zip(keys.tolist(), values.tolist(), strict=True):
        groups.setdefault(key, []).append(value)
    return groups


def _joined(parts: list[FloatArray] | list[IntArray]) -> FloatArray:
    return np.concatenate(parts) if parts else np.empty(0)
