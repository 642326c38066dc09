"""The fills to come, and the sessions at which a portfolio must be looked at closely.

Such an obstacle is a fill at which something wanted or held has no price, or the delisting of something held. Between
two of them lies a stretch, which `strategy.backtest.stretches` crosses in one go. An execution with lots, limits, caps,
shorts or reinvested dividends has no stretches: each of its fills depends on the one before in a way of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strategy.backtest.costs import CostModel, OrderConditions
from strategy.backtest.liquidity import mean_volume, volatility
from strategy.backtest.simulation import Decisions
from strategy.backtest.spec import Execution
from strategy.backtest.valuation import valuation_prices
from strategy.panel import BoolArray, FloatArray, IntArray, PricePanel

#: Fills and corporate actions from which on a stretch is worth it: its arrays cost as much as a few fills one by one.
_LEAST_EVENTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Sessions without an obstacle, and the fills among them.

    Parameters
    ----------
    begin, stop : int
        Panel rows of the first session and of the one after the last.
    fill_rows, decision_rows : ndarray of shape (n_fills,), intp
        Panel rows, increasing.
    weights, prices : ndarray of shape (n_fills, n_assets)
        Shares of equity, >= 0, that sum to at most 1; and what a share trades at, NaN where there is no price.
    conditions : OrderConditions or None
        Arrays of shape (n_fills, n_assets).
    """

    begin: int
    stop: int
    fill_rows: IntArray
    decision_rows: IntArray
    weights: FloatArray
    prices: FloatArray
    conditions: OrderConditions | None


class Plan:
    """Every fill up to `last_row`, and the obstacles on the way; `delisted` as by `delistings`."""

    def __init__(
        self,
        panel: PricePanel,
        decisions: Decisions,
        *,
        costs: CostModel,
        execution: Execution,
        last_row: int,
        delisted: tuple[IntArray, IntArray],
    ) -> None:
        inside = decisions.rows < last_row
        self._last_row, self._action_rows = last_row, panel.actions.rows
        self._decision_rows, weights = decisions.rows[inside], decisions.weights[inside]
        self._fill_rows = self._decision_rows + 1
        self._weights = _at_most_one(weights)
        self._prices = panel.field("open" if execution.fill == "next_open" else "close")[self._fill_rows]
        self._conditions = _conditions(panel, costs, self._fill_rows)
        self._delisted_rows, self._delisted_columns = delisted
        self._tradable = np.isfinite(self._prices)
        gaps = panel.columns_with_gaps
        self._tradable[:, gaps] &= np.isfinite(valuation_prices(panel)[self._fill_rows[:, np.newaxis], gaps])
        if self._conditions is not None:
            self._tradable &= self._conditions.is_known
        self._is_given_up = False
        self._obstacles = np.union1d(self._closed_fills(), self._delistings_of_held())

    def stretch(self, done: int, shares: FloatArray) -> Stretch | None:
        """The stretch after the close of row `done`, None where one session at a time is as good.

        Parameters
        ----------
        done : int
        shares : ndarray of shape (n_assets,)
            Held at that close.
        """
        if self._is_given_up:
            return None
        stop = self._first(self._obstacles, done)
        first, last = np.searchsorted(self._fill_rows, (done + 1, stop))
        stop = min(stop, self._first_delisting(done, shares, self._first(self._fill_rows, done)))
        last = last if first < last and self._fill_rows[first] < stop else first
        n_actions = int(np.diff(np.searchsorted(self._action_rows, (done + 1, stop)))[0])
        if last - first + n_actions < _LEAST_EVENTS:
            return None
        if first < last and not self._tradable[first, shares != 0].all():
            return None
        part = slice(int(first), int(last))
        return Stretch(
            begin=done + 1,
            stop=stop,
            fill_rows=self._fill_rows[part],
            decision_rows=self._decision_rows[part],
            weights=self._weights[part],
            prices=self._prices[part],
            conditions=None if self._conditions is None else self._conditions.of(part),
        )

    def give_up(self) -> None:
        """Have no more stretches: the costs of these fills are not to be found in one go."""
        self._is_given_up = True

    def _first(self, rows: IntArray, done: int) -> int:
        """The first of increasing rows after `done`; the one after the last session when there is none."""
        number = int(np.searchsorted(rows, done, side="right"))
        return int(rows[number]) if number < rows.size else self._last_row + 1

    def _first_delisting(self, done: int, shares: FloatArray, until: int) -> int:
        """Row at whose close something held is delisted, after `done` and up to the fill of row `until`."""
        part = slice(*np.searchsorted(self._delisted_rows, (done + 1, until + 1)))
        held = shares[self._delisted_columns[part]] != 0
        return self._first(self._delisted_rows[part][held], done)

    def _closed_fills(self) -> IntArray:
        """Fills at which something wanted by this decision or the one before cannot be traded."""
        wanted = self._weights != 0
        parts = wanted.copy()
        parts[1:] |= wanted[:-1]
        is_closed: BoolArray = (parts & ~self._tradable).any(axis=1)
        return self._fill_rows[is_closed]

    def _delistings_of_held(self) -> IntArray:
        """Rows of delistings of what the decision before wanted."""
        numbers = np.searchsorted(self._fill_rows, self._delisted_rows, side="right") - 1
        after = np.flatnonzero(numbers >= 0)
        is_held: BoolArray = self._weights[numbers[after], self._delisted_columns[after]] != 0
        return self._delisted_rows[after[is_held]]


def has_stretches(decisions: Decisions, execution: Execution) -> bool:
    """Whether the fills follow from weights, prices and costs alone."""
    is_free = execution.volume_cap is None and execution.maximum_turnover is None and not execution.minimum_order
    is_plain = execution.fractional_shares and execution.dividends == "cash"
    return is_free and is_plain and not (decisions.allow_short and bool((decisions.weights < 0).any()))


def _at_most_one(weights: FloatArray) -> FloatArray:
    """The weights, scaled down where rounding makes their sum larger than 1: that would need more than there is."""
    total = weights.sum(axis=1, keepdims=True)
    return weights / np.maximum(total, 1.0) if (total > 1).any() else weights


def _conditions(panel: PricePanel, costs: CostModel, rows: IntArray) -> OrderConditions | None:
    """What the costs of the fills depend on beside size and price, arrays of shape (n_fills, n_assets)."""
    conversion = panel.conversion
    if not costs.impact and conversion is None:
        return None
    shape = (rows.size, panel.n_assets)
    volumes = volatilities = None
    if costs.impact:
        volumes = np.array([mean_volume(panel, int(row)) for row in rows]).reshape(shape)
        volatilities = np.array([volatility(panel, int(row)) for row in rows]).reshape(shape)
    return OrderConditions(
        mean_volume=volumes,
        volatility=volatilities,
        rates=None if conversion is None else conversion.rates[rows],
        is_foreign=None if conversion is None else np.broadcast_to(conversion.is_foreign, shape),
    )
