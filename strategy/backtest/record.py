"""What is written down while a portfolio is simulated."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from strategy.backtest.financing import Nights
from strategy.backtest.simulation import Orders, Simulation
from strategy.backtest.stretches import Crossing
from strategy.panel import BoolArray, FloatArray, IntArray

Scalar = TypeVar("Scalar", bound=np.generic)


class Cause(NamedTuple):
    """Panel rows of a fill and of its decision, and the kind of its orders."""

    row: int
    decision_row: int
    kind: str


class Record:
    """Curves, orders and holdings of a simulation, and the sums it reports."""

    def __init__(self, *, first_row: int, last_row: int, initial_cash: float) -> None:
        self._rows = np.arange(first_row, last_row + 1)
        self._equity = np.full(self._rows.size, initial_cash)
        self._cash = np.full(self._rows.size, initial_cash)
        self._event_rows: list[IntArray] = []
        self._event_shares: list[FloatArray] = []
        self._orders: list[Orders] = []
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

    def crossing(self, row: int, crossing: Crossing) -> None:
        """All that happened in a stretch that begins at `row`."""
        self.sessions(row, crossing.equity, crossing.cash)
        self._orders.append(crossing.orders)
        self._event_rows.append(crossing.event_rows)
        self._event_shares.append(crossing.event_shares)
        self.dividends += crossing.dividends
        self._interest += crossing.interest

    def orders(
        self, cause: Cause, columns: IntArray, *, shares: FloatArray, prices: FloatArray, costs: FloatArray
    ) -> None:
        """Orders that filled in one session for one reason; arrays as in `Orders`."""
        rows = np.full((2, columns.size), [[cause.decision_row], [cause.row]], dtype=np.intp)
        self._orders.append(
            Orders(
                decision_rows=rows[0],
                fill_rows=rows[1],
                columns=columns,
                shares=shares,
                prices=prices,
                costs=costs,
                kinds=np.full(columns.size, cause.kind),
            )
        )

    def holdings(self, row: int, shares: FloatArray) -> None:
        """What is held after a change; the last word of a session counts."""
        if self._event_rows and np.array_equal(self._event_rows[-1], [row]):
            self._event_shares[-1] = shares[np.newaxis].copy()
            return
        self._event_rows.append(np.array([row], dtype=np.intp))
        self._event_shares.append(shares[np.newaxis].copy())

    def drop(self, values: FloatArray, is_dropped: BoolArray) -> None:
        """Orders, or what was left of them, that were given up."""
        self._unfilled_value += float(values[is_dropped].sum())
        self._n_unfilled += int(is_dropped.sum())

    def simulation(self, n_assets: int) -> Simulation:
        """All of it."""
        return Simulation(
            rows=self._rows,
            equity=self._equity,
            cash=self._cash,
            event_rows=_joined(self._event_rows, np.empty(0, dtype=np.intp)),
            event_shares=_joined(self._event_shares, np.empty((0, n_assets))),
            orders=self._joined_orders(),
            final_holdings=float(self._equity[-1] - self._cash[-1]),
            dividends=self.dividends,
            interest=self._interest,
            borrow_costs=self._borrow_costs,
            unfilled_value=self._unfilled_value,
            n_unfilled=self._n_unfilled,
        )

    def _joined_orders(self) -> Orders:
        rows, figures = np.empty(0, dtype=np.intp), np.empty(0)
        return Orders(
            decision_rows=_joined([each.decision_rows for each in self._orders], rows),
            fill_rows=_joined([each.fill_rows for each in self._orders], rows),
            columns=_joined([each.columns for each in self._orders], rows),
            shares=_joined([each.shares for each in self._orders], figures),
            prices=_joined([each.prices for each in self._orders], figures),
            costs=_joined([each.costs for each in self._orders], figures),
            kinds=_joined([each.kinds for each in self._orders], np.empty(0, dtype=np.str_)),
        )


def _joined(parts: list[NDArray[Scalar]], nothing: NDArray[Scalar]) -> NDArray[Scalar]:
    """All parts, one after the other; `nothing` when there is none."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else nothing
