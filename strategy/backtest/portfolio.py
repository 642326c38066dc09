"""Shares and cash as they change, session by session; `row` arguments are panel rows."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from strategy.backtest.account import NOISE, Account
from strategy.backtest.costs import CostModel
from strategy.backtest.fills import target_shares
from strategy.backtest.financing import first_shortfall, nightly_rate, nights
from strategy.backtest.limits import is_capped, reached_shares, wanted_shares
from strategy.backtest.plan import Plan
from strategy.backtest.quotes import Quotes
from strategy.backtest.record import Cause, Record
from strategy.backtest.simulation import Simulation
from strategy.backtest.spec import Execution
from strategy.backtest.stretches import Start, cross
from strategy.backtest.valuation import holdings_values, valuation_prices
from strategy.calendar import periods_per_year
from strategy.errors import ExecutionError
from strategy.panel import BoolArray, FloatArray, IntArray, PricePanel


class Portfolio:
    """A portfolio between `first_row`, when it is all cash, and `last_row`."""

    def __init__(
        self,
        panel: PricePanel,
        costs: CostModel,
        execution: Execution,
        first_row: int,
        last_row: int,
        *,
        delisted: tuple[IntArray, IntArray],
    ) -> None:
        self._panel, self._costs, self._execution = panel, costs, execution
        self._last_row = last_row
        self._quotes = Quotes(panel, costs, execution)
        self._valuation = valuation_prices(panel)
        self._delistings = _grouped(*delisted)
        self._actions = _grouped(panel.actions.rows, np.arange(panel.actions.rows.size))
        # Not of the sessions after the last one, which a longer panel may hold: a result may not depend on them.
        per_year = periods_per_year(panel.sessions[: last_row + 1])
        self._rate = nightly_rate(execution.cash_rate, per_year)
        self._borrow_rate = nightly_rate(execution.borrow_rate, per_year)
        self._shares = np.zeros(panel.n_assets)
        self._cash = execution.initial_cash
        self._done = first_row
        self._record = Record(first_row=first_row, last_row=last_row, initial_cash=self._cash)
        self._margin_row: int | None = None
        self._carried: _Carried | None = None

    def event_rows(self, decided: dict[int, int]) -> list[int]:
        """Rows on which shares or cash may change as far as can be told beforehand, increasing."""
        rows = {*decided, *self._delistings, *self._actions}
        return sorted(row for row in rows if self._done < row <= self._last_row)

    def next_event(self, rows: list[int]) -> int:
        """The first of increasing rows that is not done; the one after the last session when there is none."""
        number = bisect_right(rows, self._done)
        return rows[number] if number < len(rows) else self._last_row + 1

    @property
    def is_done(self) -> bool:
        """Whether the last session is valued."""
        return self._done == self._last_row

    def cross(self, plan: Plan) -> bool:
        """Go on to before the next obstacle of the plan at once; false where it is to be done session by session."""
        stretch = plan.stretch(self._done, self._shares)
        if stretch is None:
            return False
        equity = self._cash + float(self._values(self._done, self._done + 1)[0])
        if equity <= 0:  # lost in delistings: there is nothing of which shares could be parts
            return False
        crossing = cross(
            stretch,
            Start(shares=self._shares, cash=self._cash, equity=equity),
            actions=self._panel.actions,
            valuation=self._valuation,
            costs=self._costs,
            rate=self._rate,
        )
        if crossing is None:
            plan.give_up()
            return False
        self._record.crossing(stretch.begin, crossing)
        self._cash, self._done = float(crossing.cash[-1]), stretch.stop - 1
        if crossing.event_rows.size:
            self._shares = crossing.event_shares[-1].copy()
        return True

    def hold_until(self, row: int) -> int:
        """Value the sessions that are not done, up to the open of `row`, or of an earlier one that must be seen to.

        Returns
        -------
        int
            The row at whose open the portfolio now stands.
        """
        if self._margin_row is not None or self._carried is not None:
            row = min(row, self._done + 1)
        begin, n_nights = self._done + 1, min(row, self._last_row) - self._done
        if n_nights <= 0:
            return row
        short_values = self._short_values(self._done, self._done + n_nights)
        over = nights(self._cash, short_values, rate=self._rate, borrow_rate=self._borrow_rate, n_nights=n_nights)
        stop = min(row, self._last_row + 1)
        equity = over.cash[: stop - begin] + self._values(begin, stop)
        if short_values is not None and equity.size:
            self._refuse_ruin(begin + int(equity.argmin()), float(equity.min()))
            short = first_shortfall(equity, self._gross(begin, stop), self._execution.maintenance_margin)
            if short is not None:
                row = stop = begin + short + 1
                self._margin_row = row
                n_nights = min(row, self._last_row) - self._done
        self._record.sessions(begin, equity[: stop - begin], over.cash[: stop - begin])
        self._record.nights(over, n_nights)
        self._cash = float(over.cash[n_nights - 1])
        self._done = stop - 1
        return row

    def trade_session(self, row: int, decision_row: int = -1, weights: FloatArray | None = None) -> None:
        """One session in which something changes; with the weights of a decision, when one is to be filled."""
        self._apply_actions(row)
        if weights is not None:
            self._rebalance(row, decision_row, weights)
        elif self._margin_row == row:
            self._cut_back(row)
        elif self._carried is not None:
            self._carry_on(row, self._carried)
        self._margin_row = None
        self._delist(row)
        self._close(row)

    def result(self) -> Simulation:
        """The simulation, once every session is done."""
        self._drop_carried(self._last_row)
        return self._record.simulation(self._panel.n_assets)

    def _apply_actions(self, row: int) -> None:
        """Splits, then dividends, of the assets held."""
        actions = self._panel.actions
        for number in self._actions.get(row, ()):
            column = int(actions.columns[number])
            if self._carried is not None:
                self._carried.wanted[column] *= actions.split_ratios[number]
            if self._shares[column] == 0:
                continue
            self._shares[column] *= actions.split_ratios[number]
            credited = float(self._shares[column] * actions.dividends[number])
            self._cash += credited
            self._record.dividends += credited
            if actions.split_ratios[number] != 1:
                self._record.holdings(row, self._shares)
            if credited > 0 and self._execution.dividends == "reinvest":
                self._reinvest(row, column, credited)

    def _reinvest(self, row: int, column: int, amount: float) -> None:
        """Buy shares of the payer with its dividend; without a price on the ex-date it stays in cash."""
        price = self._quotes.fill_price(row, column)
        bought = amount / price
        if not self._execution.fractional_shares:
            bought = np.floor(bought / self._execution.lot_size) * self._execution.lot_size
        if bought > 0:  # NaN is not
            columns = np.array([column], dtype=np.intp)
            target, prices = self._shares[columns] + bought, np.array([price])
            self._trade(Cause(row, row, "reinvestment"), columns, target, prices=prices, costs=np.zeros(1))

    def _rebalance(self, row: int, decision_row: int, weights: FloatArray) -> None:
        self._drop_carried(row)
        account = self._account(row, np.flatnonzero((weights != 0) | (self._shares != 0)))
        target = target_shares(account, weights[account.market.columns])
        wanted = wanted_shares(account, target, self._execution)
        self._fill(account, wanted, Cause(row, decision_row, "rebalance"))

    def _cut_back(self, row: int) -> None:
        """Holdings cut in proportion, so that equity is the initial margin of what is left."""
        self._drop_carried(row)
        account = self._account(row, np.flatnonzero(self._shares))
        self._refuse_ruin(row, account.equity)
        gross = float((np.abs(account.shares) * account.prices).sum())
        share = min(account.equity / (self._execution.initial_margin * gross), 1.0)
        target = np.where(account.market.tradable, account.shares * share, account.shares)
        self._fill(account, target, Cause(row, row - 1, "margin_call"))

    def _carry_on(self, row: int, carried: _Carried) -> None:
        """Trade what is left of the last decision; what has no price today waits on."""
        account = self._account(row, np.flatnonzero(carried.left | (self._shares != 0)))
        columns, tradable = account.market.columns, account.market.tradable
        wanted = np.where(carried.left[columns] & tradable, carried.wanted[columns], account.shares)
        waiting = columns[carried.left[columns] & ~tradable]
        self._fill(account, wanted, carried.cause._replace(row=row))
        if waiting.size:
            self._carry(waiting, carried.wanted[waiting], carried.cause, also=self._carried)

    def _fill(self, account: Account, wanted: FloatArray, cause: Cause) -> None:
        columns = account.market.columns
        reached = reached_shares(account, wanted, self._execution)
        values = np.abs(wanted - reached) * account.prices
        left, capped = values > NOISE * account.equity, is_capped(account, wanted)
        self._carried = None
        if left.any() and capped and self._execution.unfilled == "carry":
            self._carry(columns[left], wanted[left], cause)
        elif left.any():
            self._record.drop(values, left & (capped | (reached == account.shares)))
        costs = account.order_costs(reached)
        self._trade(cause, columns, reached, prices=account.prices, costs=costs)

    def _account(self, row: int, columns: IntArray) -> Account:
        """The portfolio and the market of a session, for the assets that take part."""
        market = self._quotes.market(row, columns)
        return Account(shares=self._shares[columns], cash=self._cash, market=market, costs=self._costs)

    def _delist(self, row: int) -> None:
        """Close what has had no close for too long, at its last price and terminal or stated return, at no cost."""
        if row not in self._delistings:
            return
        columns = self._delistings[row]
        if self._carried is not None:
            self._drop_carried(row, columns)
        returns = np.full(len(columns), np.nan)
        if self._panel.terminal_returns is not None:
            returns = self._panel.terminal_returns[columns]
        prices = self._valuation[row, columns]
        prices = prices * (1 + np.where(np.isnan(returns), self._execution.delisting_return, returns))
        nothing = np.zeros(len(columns))
        cause = Cause(row, row, "delisting")
        self._trade(cause, np.array(columns, dtype=np.intp), nothing, prices=prices, costs=nothing)

    def _close(self, row: int) -> None:
        """Value the session of an event."""
        equity = self._cash + self._values(row, row + 1)
        if (self._shares < 0).any():
            self._refuse_ruin(row, float(equity[0]))
            short = first_shortfall(equity, self._gross(row, row + 1), self._execution.maintenance_margin)
            self._margin_row = None if short is None else row + 1
        self._record.sessions(row, equity, np.array([self._cash]))
        self._done = row

    def _trade(
        self,
        cause: Cause,
        columns: IntArray,
        target: FloatArray,
        *,
        prices: FloatArray,
        costs: FloatArray,
    ) -> None:
        """Hold `target` shares of some assets."""
        traded = np.flatnonzero(target != self._shares[columns])
        if traded.size == 0:
            return
        columns, prices, costs = columns[traded], prices[traded], costs[traded]
        shares = target[traded] - self._shares[columns]
        self._cash -= float((shares * prices).sum() + costs.sum())
        self._shares = self._shares.copy()
        self._shares[columns] = target[traded]
        self._record.orders(cause, columns, shares=shares, prices=prices, costs=costs)
        self._record.holdings(cause.row, self._shares)

    def _carry(self, columns: IntArray, wanted: FloatArray, cause: Cause, *, also: _Carried | None = None) -> None:
        """Remember what is still wanted of some assets."""
        carried = also or _Carried(
            wanted=self._shares.copy(), left=np.zeros(self._shares.size, dtype=np.bool_), cause=cause
        )
        carried.wanted[columns], carried.left[columns] = wanted, True
        self._carried = carried

    def _drop_carried(self, row: int, columns: list[int] | None = None) -> None:
        """Give up what is left of orders: of all assets, or of some."""
        if self._carried is None:
            return
        left = self._carried.left.copy()
        if columns is not None:
            left[:] = False
            left[columns] = self._carried.left[columns]
        self._record.drop(np.abs(self._carried.wanted - self._shares) * self._quotes.last_known(row), left)
        self._carried.left[left] = False
        if not self._carried.left.any():
            self._carried = None

    def _values(self, begin: int, stop: int) -> FloatArray:
        return self._weighed(begin, stop, self._shares)

    def _gross(self, begin: int, stop: int) -> FloatArray:
        return self._weighed(begin, stop, np.abs(self._shares))

    def _weighed(self, begin: int, stop: int, shares: FloatArray) -> FloatArray:
        """Value of shares at the closes from `begin` to before `stop`."""
        values = np.empty(stop - begin)
        holdings_values(self._valuation, begin, stop, shares, out=values)
        return values

    def _short_values(self, begin: int, stop: int) -> FloatArray | None:
        """Value sold short at the closes from `begin` to before `stop`, >= 0; None when nothing is."""
        short = np.maximum(-self._shares, 0.0)
        return self._weighed(begin, stop, short) if short.any() else None

    def _refuse_ruin(self, row: int, equity: float) -> None:
        if equity <= 0:
            reason = f"is what is left on {self._panel.sessions[row]}: losses of shorts have used up the portfolio"
            raise ExecutionError("equity", round(equity, 2), f"{reason}; lower their weights, or raise initial_margin")


@dataclass(slots=True, kw_only=True)
class _Carried:
    """What is left of orders: shares wanted of the assets that are `left`, and what they were placed for."""

    wanted: FloatArray
    left: BoolArray
    cause: Cause


def _grouped(keys: IntArray, values: IntArray) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for key, value in zip(keys.tolist(), values.tolist(), strict=True):
        groups.setdefault(key, []).append(value)
    return groups
