"""What the engine takes and gives: decisions in, equity, orders and holdings out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strategy.errors import ExecutionError
from strategy.panel import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Target weights decided at the close of some sessions.

    Parameters
    ----------
    rows : ndarray of shape (n_decisions,), intp
        Panel rows, strictly increasing.
    weights : ndarray of shape (n_decisions, n_assets)
        Share of portfolio value, >= 0, rows sum to at most 1; the rest is cash.
    allow_short : bool
        Whether weights may be negative.
    """

    rows: IntArray
    weights: FloatArray
    allow_short: bool = False

    def __post_init__(self) -> None:
        if self.rows.size != self.weights.shape[0] or (np.diff(self.rows) <= 0).any():
            raise ExecutionError(
                "decisions", self.rows.size, "rows must increase strictly, one row of weights for each"
            )
        check_weights(self.weights, allow_short=self.allow_short)


def check_weights(weights: FloatArray, *, allow_short: bool) -> None:
    """`ExecutionError` unless weights are finite, sum to at most 1 in each row, and none is negative without leave."""
    if not np.isfinite(weights).all() or (weights.sum(axis=1) > 1 + 1e-9).any():
        raise ExecutionError("weights", None, "must be finite, and sum to at most 1")
    if not allow_short and (weights < 0).any():
        raise ExecutionError("weights", float(weights.min()), "must not be negative, unless allow_short is true")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Every fill, in the order in which they happened; arrays of shape (n_orders,).

    Parameters
    ----------
    decision_rows, fill_rows : ndarray of intp
        Panel rows of the decision and of the fill.
    columns : ndarray of intp
        Assets.
    shares : ndarray
        Signed: bought > 0, sold < 0.
    prices, values, costs : ndarray
        Price per share, ``|shares| * price`` and cost, quote currency.
    kinds : ndarray of str
        "rebalance", "delisting", "margin_call" or "reinvestment".
    """

    decision_rows: IntArray
    fill_rows: IntArray
    columns: IntArray
    shares: FloatArray
    prices: FloatArray
    costs: FloatArray
    kinds: NDArray[np.str_]

    @property
    def values(self) -> FloatArray:
        """Traded value of each order, quote currency, >= 0."""
        return np.abs(self.shares) * self.prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """A portfolio through time.

    Parameters
    ----------
    rows : ndarray of shape (n,), intp
        Panel rows of the sessions, the first decision's first.
    equity, cash : ndarray of shape (n,)
        At the close, base currency. `equity[0]` is the initial cash.
    event_rows : ndarray of shape (n_events,), intp
        Panel rows after whose close the holdings differ from before.
    event_shares : ndarray of shape (n_events, n_assets)
        Shares held from that close on.
    orders : Orders
    final_holdings : float
        Value of the shares held at the last close.
    dividends, interest : float
        Credited in all, base currency; paid on shorts and on debts < 0.
    borrow_costs : float
        Loan fees of what was sold short, base currency, >= 0.
    unfilled_value : float
        Value of what was given up of orders: too small, or more than the market could take; base currency.
    n_unfilled : int
        Such orders.
    """

    rows: IntArray
    equity: FloatArray
    cash: FloatArray
    event_rows: IntArray
    event_shares: FloatArray
    orders: Orders
    final_holdings: float
    dividends: float
    interest: float
    borrow_costs: float = 0.0
    unfilled_value: float = 0.0
    n_unfilled: int = 0

    @property
    def costs(self) -> float:
        """Costs of all orders, base currency."""
        return float(self.orders.costs.sum())

    @property
    def n_delisted(self) -> int:
        """Holdings sold because they were delisted."""
        return int((self.orders.kinds == "delisting").sum())

    def shares_on(self, row: int) -> FloatArray:
        """Shares held after the close of a panel row, shape (n_assets,)."""
        event = int(np.searchsorted(self.event_rows, row, side="right")) - 1
        return np.zeros(self.event_shares.shape[1]) if event < 0 else self.event_shares[event]

    def books(self) -> dict[str, float]:
        """Where the final equity comes from: initial cash + trading + dividends + interest - costs - borrowing.

        `trading_profit` is counted from the orders and final holdings, not as a remainder, so that the sum is a check.
        """
        signed = float((self.orders.shares * self.orders.prices).sum())
        return {
            "initial_cash": float(self.equity[0]),
            "trading_profit": self.final_holdings - signed,
            "dividends": self.dividends,
            "interest": self.interest,
            "costs": self.costs,
            "borrow_costs": self.borrow_costs,
            "final_equity": float(self.equity[-1]),
        }
