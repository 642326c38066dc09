"""What is written down while a portfolio is simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from strategy.backtest.financing import Nights
from strategy.backtest.simulation import Orders, Simulation
from strategy.panel import BoolArray, FloatArray, IntArray


class Cause(NamedTuple):
    """Panel rows of a fill and of its decision, and the kind of its orders."""

    row: int
    decision_row: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fills:
    """Orders of one cause; arrays as in `Orders`, of shape (n_orders,)."""

    cause: Cause
    columns: IntArray
    shares: FloatArray
    prices: FloatArray
    costs: FloatArray


class Record:
    """Curves, orders and holdings of a simulation, and the sums it reports."""

    def __init__(self, *, first_row: int, last_row: int, initial_cash: float) -> None:
        self._rows = np.arange(first_row, last_row + 1)
        self._equity = np.full(self._rows.size, initial_cash)
        self._cash = np.full(self._rows.size, initial_cash)
        self._events: list[tuple[int, FloatArray]] = []
        self._fills: list[Fills] = []
        self._interest = self._borrow_costs = self._unfilled_value = 0.0
        self._n_unfilled = 0
        self.dividends = 0.0

    def sessions(self, row: int, equity: FloatArray, cash: FloatArray) -> None:
        """Closes from `row` on, base currency."""
        part = slice(row - int(self._rows[0]), row - int(self._rows[0]) + equity.size)
        self._equity[part], self._cash[part] = equity, cash

    def nights(self, nights: Nights, n_nights: int) -> None:
        """Interest and loan fees of the first `n_nights`."""
        self._interest += float(nights.interest[:n_nights].sum())
        self._borrow_costs += float(nights.borrow_costs[:n_nights].sum())

    def fills(self, fills: Fills) -> None:
        """Orders that filled in one session for one reason."""
        self._fills.append(fills)

    def holdings(self, row: int, shares: FloatArray) -> None:
        """What is held after a change; the last word of a session counts."""
        if self._events and self._events[-1][0] == row:
            self._events.pop()
        self._events.append((row, shares.copy()))

    def drop(self, values: FloatArray, is_dropped: BoolArray) -> None:
        """Orders, or what was left of them, that were given up."""
        self._unfilled_value += float(values[is_dropped].sum())
        self._n_unfilled += int(is_dropped.sum())

    def simulation(self, n_assets: int) -> Simulation:
        """All of it."""
        shape = (len(self._events), n_assets)
        return Simulation(
            rows=self._rows,
            equity=self._equity,
            cash=self._cash,
            event_rows=np.array([row for row, _ in self._events], dtype=np.intp),
            event_shares=np.array([shares for _, shares in self._events]).reshape(shape),
            orders=self._joined_orders(),
            final_holdings=float(self._equity[-1] - self._cash[-1]),
            dividends=self.dividends,
            interest=self._interest,
            borrow_costs=self._borrow_costs,
            unfilled_value=self._unfilled_value,
            n_unfilled=self._n_unfilled,
        )

    def _joined_orders(self) -> Orders:
        fills = self._fills
        counts = [each.columns.size for each in fills]
        return Orders(
            decision_rows=np.repeat(np.array([each.cause.decision_row for each in fills], dtype=np.intp), counts),
            fill_rows=np.repeat(np.array([each.cause.row for each in fills], dtype=np.intp), counts),
            columns=_joined([each.columns for each in fills]).astype(np.intp),
            shares=_joined([each.shares for each in fills]),
            prices=_joined([each.prices for each in fills]),
            costs=_joined([each.costs for each in fills]),
            kinds=np.repeat(np.array([each.cause.kind for each in fills], dtype=np.str_), counts),
        )


def _joined(parts: list[FloatArray] | list[IntArray]) -> FloatArray:
    return np.concatenate(parts) if parts else np.empty(0)
