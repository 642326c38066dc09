"""Assets sold short: what they earn, what they cost, and what happens when they go wrong; all by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.adjustments import CorporateActions
from strategy.backtest.costs import CostModel
from strategy.backtest.engine import simulate
from strategy.backtest.simulation import Decisions, Simulation
from strategy.backtest.spec import Execution
from strategy.calendar import decision_rows
from strategy.errors import ExecutionError
from strategy.panel import PricePanel
from support.panels import panel_of, random_panel

SHORTS = Execution(fill="next_close", initial_cash=1000.0, allow_short=True)
#: Of one night, of 5 % a year: a panel of less than a year counts 252 sessions in one.
NIGHT = 1.05 ** (1 / 252) - 1


def simulated(panel: PricePanel, weights: list[list[float]], execution: Execution = SHORTS) -> Simulation:
    decisions = Decisions(rows=np.arange(len(weights)), weights=np.array(weights), allow_short=execution.allow_short)
    return simulate(panel, decisions, costs=CostModel(), execution=execution, first_row=0, last_row=panel.n_dates - 1)


def test_a_short_earns_what_its_asset_loses() -> None:
    found = simulated(panel_of(np.array([[10.0], [10.0], [8.0]])), [[-0.5]])
    # 50 sold at 10 bring 500; they are owed at 8.
    assert found.cash.tolist() == [1000.0, 1500.0, 1500.0]
    assert found.equity.tolist() == [1000.0, 1000.0, 1100.0]


def test_a_loan_costs_its_fee_by_the_night() -> None:
    panel = panel_of(np.array([[10.0], [10.0], [8.0], [8.0]]))
    found = simulated(panel, [[-0.5]], replace(SHORTS, borrow_rate=0.05))
    # 500 are owed over the first night, 400 over the second.
    assert found.borrow_costs == pytest.approx(900 * NIGHT)
    assert found.equity[-1] == pytest.approx(1500 - 400 - 900 * NIGHT)


def test_proceeds_of_a_short_sale_earn_no_interest() -> None:
    panel = panel_of(np.array([[10.0], [10.0], [10.0]]))
    found = simulated(panel, [[-0.5]], replace(SHORTS, cash_rate=0.05))
    # 1,000 over the first night, then 1,500 less the 500 owed: the sale of row 1 is sized after that interest.
    first = 1000 * (1 + NIGHT)
    assert found.equity[1] == pytest.approx(first)
    assert found.interest == pytest.approx(first * (1 + NIGHT) - 1000)


def test_a_short_pays_the_dividend_and_grows_with_a_split() -> None:
    actions = CorporateActions(
        rows=np.array([2]), columns=np.array([0]), split_ratios=np.array([2.0]), dividends=np.array([0.5])
    )
    found = simulated(panel_of(np.array([[10.0], [10.0], [5.0]]), actions=actions), [[-0.5]])
    # 100 shares after the split pay 50.
    assert found.shares_on(2).tolist() == [-100.0]
    assert found.dividends == -50.0
    assert found.equity[-1] == 1500 - 500 - 50


def test_a_margin_call_cuts_holdings_to_the_initial_margin() -> None:
    found = simulated(panel_of(np.array([[10.0], [10.0], [16.5], [16.5], [16.5]])), [[-1.0]])
    # 100 short, 2,000 in cash: at 16.5 equity is 350 of 1,650, 21 %. At 50 % 700 may be owed, 42.42 shares.
    assert found.equity.tolist() == pytest.approx([1000, 1000, 350, 350, 350])
    assert found.shares_on(3).tolist() == pytest.approx([-700 / 16.5])
    assert found.orders.kinds.tolist() == ["rebalance", "margin_call"]


def test_losses_beyond_the_portfolio_end_it_with_a_reason() -> None:
    with pytest.raises(ExecutionError, match="losses of shorts have used up the portfolio"):
        simulated(panel_of(np.array([[10.0], [10.0], [25.0], [25.0]])), [[-1.0]])


def test_a_decision_beyond_the_initial_margin_is_refused() -> None:
    with pytest.raises(ExecutionError, match=r"weights=2\.5: is .*gross.* initial_margin = 2"):
        simulated(panel_of(np.full((3, 2), 10.0)), [[1.0, -1.5]])


def test_a_negative_weight_needs_leave() -> None:
    with pytest.raises(ExecutionError, match="allow_short"):
        simulated(panel_of(np.full((3, 1), 10.0)), [[-0.5]], replace(SHORTS, allow_short=False))


def test_a_known_terminal_return_is_what_holders_got() -> None:
    nan = np.nan
    panel = panel_of(np.array([[10.0, 10.0], [10.0, 10.0], [nan, nan], [nan, nan]]))
    panel = replace(panel, terminal_returns=np.array([-0.8, nan]))
    execution = replace(SHORTS, delist_after=2, delisting_return=-0.3)
    found = simulated(panel, [[0.5, 0.5]], execution)
    # 500 at -80 %, which is known, and 500 at -30 %, which is assumed.
    assert found.equity[-1] == pytest.approx(100 + 350)


@given(seed=st.integers(0, 2**32 - 1), borrow_rate=st.sampled_from([0.0, 0.1]), is_fractional=st.booleans())
@settings(max_examples=30)
def test_the_books_of_long_and_short_portfolios_reconcile(
    *, seed: int, borrow_rate: float, is_fractional: bool
) -> None:
    panel = random_panel(seed, n_dates=40, n_assets=5, missing=0.1)
    rng = np.random.default_rng(seed)
    rows = decision_rows(panel.sessions, "weekly")
    weights = rng.uniform(-0.2, 0.2, size=(rows.size, 5)) * panel.active[rows]
    execution = replace(
        SHORTS, initial_cash=1e5, borrow_rate=borrow_rate, cash_rate=0.03, fractional_shares=is_fractional
    )
    decisions = Decisions(rows=rows, weights=weights, allow_short=True)
    costs = CostModel(flat=1.0, bps=10)
    found = simulate(panel, decisions, costs=costs, execution=execution, first_row=0, last_row=39)
    books = found.books()
    gained = books["trading_profit"] + books["dividends"] + books["interest"] - books["costs"] - books["borrow_costs"]
    assert books["initial_cash"] + gained == pytest.approx(books["final_equity"], abs=1e-6)
