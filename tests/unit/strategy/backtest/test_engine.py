"""The engine: by hand, against a plain reference, and by properties."""

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
from strategy.backtest.spec import Execution, Fill
from strategy.calendar import decision_rows
from strategy.errors import ExecutionError
from strategy.panel import FloatArray, PricePanel
from support.panels import panel_of, random_panel
from support.reference_engine import Reference

FREE = CostModel()
NEXT_OPEN = Execution(fill="next_open", initial_cash=1000.0)
NEXT_CLOSE = Execution(fill="next_close", initial_cash=1000.0)
SEEDS = st.integers(0, 2**32 - 1)


def decided(rows: list[int], weights: list[list[float]]) -> Decisions:
    return Decisions(rows=np.array(rows, dtype=np.intp), weights=np.array(weights, dtype=np.float64))


def simulated(
    panel: PricePanel, decisions: Decisions, execution: Execution = NEXT_OPEN, costs: CostModel = FREE
) -> Simulation:
    return simulate(panel, decisions, costs=costs, execution=execution, first_row=0, last_row=panel.n_dates - 1)


def with_actions(panel: PricePanel, seed: int) -> PricePanel:
    """The panel with a few splits (prices divided from then on) and dividends."""
    rng = np.random.default_rng(seed)
    places = sorted({(int(rng.integers(1, panel.n_dates)), int(rng.integers(0, panel.n_assets))) for _ in range(4)})
    ratios = rng.choice([1.0, 2.0, 3.0, 0.1], size=len(places))
    fields = {name: values.copy() for name, values in panel.fields.items()}
    for (row, column), ratio in zip(places, ratios, strict=True):
        for values in fields.values():
            values[row:, column] /= ratio
    actions = CorporateActions(
        rows=np.array([row for row, _ in places], dtype=np.intp),
        columns=np.array([column for _, column in places], dtype=np.intp),
        split_ratios=ratios,
        dividends=rng.choice([0.0, 0.25], size=len(places)),
    )
    return replace(panel, fields=fields, actions=actions)


def random_decisions(panel: PricePanel, seed: int, *, invested: float = 1.0) -> Decisions:
    rng = np.random.default_rng(seed)
    rows = decision_rows(panel.sessions, "weekly")
    weights = rng.random((rows.size, panel.n_assets)) * (rng.random((rows.size, panel.n_assets)) < 0.7)
    weights[~panel.active[rows]] = 0.0
    total = weights.sum(axis=1, keepdims=True)
    return Decisions(
        rows=rows, weights=np.divide(weights, total, out=np.zeros_like(weights), where=total > 0) * invested
    )


# By hand ------------------------------------------------------------------------------------------------------------


def test_orders_fill_at_the_next_open_and_holdings_drift() -> None:
    panel = panel_of(
        np.array([[10.0, 20.0], [11.0, 20.0], [12.0, 25.0]]),
        open_prices=np.array([[10.0, 20.0], [10.0, 25.0], [11.5, 21.0]]),
    )
    found = simulated(panel, decided([0], [[0.5, 0.5]]))
    # 500 at 10 is 50 shares, 500 at 25 is 20 shares; closes 11 and 20: 550 + 400; then 12 and 25: 600 + 500.
    assert found.equity.tolist() == [1000.0, 950.0, 1100.0]
    assert found.shares_on(0).tolist() == [0.0, 0.0]
    assert found.shares_on(2).tolist() == [50.0, 20.0]


def test_orders_can_fill_at_the_next_close() -> None:
    panel = panel_of(np.array([[10.0], [12.5], [15.0]]))
    found = simulated(panel, decided([0], [[1.0]]), NEXT_CLOSE)
    # 1,000 at 12.5 is 80 shares, worth 1,200 at 15.
    assert found.equity.tolist() == [1000.0, 1000.0, 1200.0]


def test_a_split_multiplies_shares_and_a_dividend_is_paid_in_cash() -> None:
    panel = panel_of(
        np.array([[10.0], [10.0], [5.5], [5.0]]),
        actions=CorporateActions(
            rows=np.array([2, 3]),
            columns=np.array([0, 0]),
            split_ratios=np.array([2.0, 1.0]),
            dividends=np.array([0.0, 0.5]),
        ),
    )
    found = simulated(panel, decided([0], [[1.0]]))
    # 100 shares; 200 at 5.5 after the split; 200 at 5.0 and 200 x 0.5 in cash.
    assert found.equity.tolist() == [1000.0, 1000.0, 1100.0, 1100.0]
    assert found.cash.tolist() == [1000.0, 0.0, 0.0, 100.0]
    assert found.dividends == 100.0


def test_a_missing_price_is_not_traded_and_never_a_zero() -> None:
    nan = np.nan
    panel = panel_of(np.array([[10.0, 10.0], [10.0, 10.0], [nan, 10.0], [8.0, 10.0]]))
    found = simulated(panel, decided([0, 1], [[1.0, 0.0], [0.0, 1.0]]))
    # On row 2 the first asset cannot be sold: it keeps 10, and there is no cash to buy the second with.
    assert found.equity.tolist() == [1000.0, 1000.0, 1000.0, 800.0]
    assert found.shares_on(3).tolist() == [100.0, 0.0]


def test_a_delisted_holding_is_sold_at_its_last_price_and_the_stated_return() -> None:
    nan = np.nan
    panel = panel_of(np.array([[10.0], [10.0], [nan], [nan], [nan]]))
    execution = replace(NEXT_OPEN, delist_after=2, delisting_return=-0.3)
    found = simulated(panel, decided([0], [[1.0]]), execution)
    # The second session without a close is row 3: 100 shares at 10 x 0.7.
    assert found.equity.tolist() == [1000.0, 1000.0, 1000.0, 700.0, 700.0]
    assert found.cash[-1] == pytest.approx(700.0)
    assert found.orders.kinds.tolist() == ["rebalance", "delisting"]
    assert found.n_delisted == 1


def test_costs_are_paid_out_of_what_is_invested() -> None:
    panel = panel_of(np.array([[10.0], [10.0], [10.0]]))
    found = simulated(panel, decided([0], [[1.0]]), costs=CostModel(flat=5.0, bps=100))
    # x of value costs 5 + 1 % of x, together 1,000: x = 995 / 1.01.
    assert found.equity[-1] == pytest.approx(995 / 1.01)
    assert found.cash[-1] == pytest.approx(0.0, abs=1e-9)
    assert found.costs == pytest.approx(1000 - 995 / 1.01)


def test_whole_shares_leave_the_rest_in_cash() -> None:
    panel = panel_of(np.array([[30.0], [30.0], [33.0]]))
    found = simulated(panel, decided([0], [[1.0]]), replace(NEXT_OPEN, fractional_shares=False), CostModel(flat=15.0))
    # 1,000 - 15 buys 32 shares of 30: 960, and 25 stay in cash.
    assert found.shares_on(2).tolist() == [32.0]
    assert found.cash[-1] == pytest.approx(25.0)
    assert found.equity[-1] == pytest.approx(25 + 32 * 33)


def test_cash_earns_its_rate_overnight() -> None:
    panel = panel_of(np.full((253, 1), 10.0))
    found = simulated(panel, decided([0], [[0.0]]), replace(NEXT_OPEN, cash_rate=0.05))
    assert found.equity[-1] == pytest.approx(1050.0)  # 252 nights are a year
    assert found.interest == pytest.approx(50.0)


def test_a_split_while_there_is_no_bar_does_not_change_the_value() -> None:
    nan = np.nan
    panel = panel_of(
        np.array([[10.0], [10.0], [nan], [5.0]]),
        actions=CorporateActions(
            rows=np.array([2]), columns=np.array([0]), split_ratios=np.array([2.0]), dividends=np.array([0.0])
        ),
    )
    assert simulated(panel, decided([0], [[1.0]])).equity.tolist() == [1000.0] * 4


# Against the reference ----------------------------------------------------------------------------------------------


@given(
    seed=SEEDS,
    fill=st.sampled_from(["next_open", "next_close"]),
    missing=st.sampled_from([0.0, 0.05, 0.3]),
    costs=st.sampled_from(
        [FREE, CostModel(bps=25), CostModel(flat=1.0, bps=5), CostModel(per_share=0.005, minimum=1.0, maximum_bps=100)]
    ),
    cash_rate=st.sampled_from([0.0, 0.04]),
)
@settings(deadline=None, max_examples=60)
def test_a_plain_loop_over_days_agrees(
    seed: int, fill: Fill, missing: float, costs: CostModel, cash_rate: float
) -> None:
    panel = with_actions(random_panel(seed, n_dates=40, n_assets=4, missing=missing), seed)
    execution = Execution(fill=fill, delist_after=3, delisting_return=-0.1, cash_rate=cash_rate)
    decisions = random_decisions(panel, seed)
    found = simulated(panel, decisions, execution, costs)
    expected = Reference(panel, costs, execution).run(decisions, 0, panel.n_dates - 1)
    np.testing.assert_allclose(found.equity, expected, rtol=1e-9)


# Properties ---------------------------------------------------------------------------------------------------------


@given(seed=SEEDS, is_fractional=st.booleans(), missing=st.sampled_from([0.0, 0.2]))
@settings(deadline=None, max_examples=50)
def test_cash_and_holdings_are_the_equity_to_the_cent_every_day(
    *, seed: int, is_fractional: bool, missing: float
) -> None:
    panel = with_actions(random_panel(seed, n_dates=40, n_assets=5, missing=missing), seed)
    execution = Execution(fractional_shares=is_fractional, cash_rate=0.03)
    found = simulated(panel, random_decisions(panel, seed), execution, CostModel(flat=1.0, bps=10))
    last = np.full(panel.n_assets, np.nan)
    splits = {
        (int(r), int(c)): s
        for r, c, s in zip(panel.actions.rows, panel.actions.columns, panel.actions.split_ratios, strict=True)
    }
    for number, row in enumerate(found.rows):
        for column in range(panel.n_assets):
            last[column] /= splits.get((int(row), column), 1.0)
            close = panel.close_prices[row, column]
            last[column] = last[column] if np.isnan(close) else close
        shares = found.shares_on(int(row))
        value = sum(shares[column] * last[column] for column in np.flatnonzero(shares))
        assert found.cash[number] + value == pytest.approx(found.equity[number], abs=0.005)
        assert found.cash[number] >= -1e-6
    books = found.books()
    explained = (
        books["initial_cash"] + books["trading_profit"] + books["dividends"] + books["interest"] - books["costs"]
    )
    assert explained == pytest.approx(books["final_equity"], abs=0.005)


@given(seed=SEEDS)
@settings(deadline=None, max_examples=30)
def test_whole_shares_stay_whole_and_cash_stays_positive(seed: int) -> None:
    panel = random_panel(seed, n_dates=40, n_assets=5, missing=0.1)
    execution = Execution(fractional_shares=False, initial_cash=5_000.0)
    found = simulated(panel, random_decisions(panel, seed), execution, CostModel(flat=1.0, bps=10))
    np.testing.assert_array_equal(found.event_shares, np.floor(found.event_shares))
    assert (found.cash >= -1e-9).all()


@given(seed=SEEDS)
@settings(deadline=None, max_examples=40)
def test_permuting_assets_changes_nothing(seed: int) -> None:
    panel = random_panel(seed, n_dates=40, n_assets=5, missing=0.1)
    decisions = random_decisions(panel, seed)
    order = np.random.default_rng(seed).permutation(5)
    shuffled = panel_of(panel.close_prices[:, order], open_prices=panel.field("open")[:, order])
    costs = CostModel(flat=1.0, bps=10)
    found = simulated(panel, decisions, costs=costs)
    other = simulated(shuffled, Decisions(rows=decisions.rows, weights=decisions.weights[:, order]), costs=costs)
    np.testing.assert_allclose(other.equity, found.equity, rtol=1e-9)


@given(seed=SEEDS, cheap=st.floats(0, 50), extra=st.floats(0, 100), flat=st.floats(0, 5))
@settings(deadline=None, max_examples=40)
def test_more_cost_never_helps(seed: int, cheap: float, extra: float, flat: float) -> None:
    panel = random_panel(seed, n_dates=40, n_assets=4)
    decisions = random_decisions(panel, seed)
    execution = Execution(initial_cash=100_000.0)
    low = simulated(panel, decisions, execution, CostModel(bps=cheap))
    high = simulated(panel, decisions, execution, CostModel(bps=cheap + extra, flat=flat))
    assert (high.equity <= low.equity * (1 + 1e-9)).all()


@given(seed=SEEDS, cut=st.integers(2, 38))
@settings(deadline=None, max_examples=40)
def test_what_happens_later_changes_nothing_before(seed: int, cut: int) -> None:
    panel = random_panel(seed, n_dates=40, n_assets=4, missing=0.1)
    decisions = random_decisions(panel, seed)
    rng = np.random.default_rng(seed + 1)
    fields = {}
    for name, values in panel.fields.items():
        changed: FloatArray = values.copy()
        changed[cut:] *= rng.uniform(0.2, 5.0, size=changed[cut:].shape)
        fields[name] = changed
    other = replace(panel, fields=fields)
    found, moved = simulated(panel, decisions), simulated(other, decisions)
    np.testing.assert_array_equal(found.equity[:cut], moved.equity[:cut])


@given(seed=SEEDS, ratio=st.sampled_from([2.0, 4.0, 0.5]), row=st.integers(1, 39))
@settings(deadline=None, max_examples=40)
def test_a_split_is_neutral(seed: int, ratio: float, row: int) -> None:
    panel = random_panel(seed, n_dates=40, n_assets=3)
    decisions = random_decisions(panel, seed)
    fields = {name: values.copy() for name, values in panel.fields.items()}
    for values in fields.values():
        values[row:, 1] /= ratio
    actions = CorporateActions(
        rows=np.array([row]), columns=np.array([1]), split_ratios=np.array([ratio]), dividends=np.array([0.0])
    )
    other = replace(panel, fields=fields, actions=actions)
    costs = CostModel(bps=10)
    np.testing.assert_allclose(
        simulated(other, decisions, costs=costs).equity, simulated(panel, decisions, costs=costs).equity, rtol=1e-9
    )


# Bad input ----------------------------------------------------------------------------------------------------------


def test_no_open_at_all_is_refused_with_the_remedy() -> None:
    panel = panel_of(np.full((3, 1), 10.0), open_prices=np.full((3, 1), np.nan))
    with pytest.raises(ExecutionError, match="next_close"):
        simulated(panel, decided([0], [[1.0]]))


def test_costs_above_the_portfolio_are_refused() -> None:
    panel = panel_of(np.full((3, 1), 10.0))
    with pytest.raises(ExecutionError, match="exceed the portfolio's value on 2020-01-02"):
        simulated(panel, decided([0], [[1.0]]), costs=CostModel(flat=2000.0))


@pytest.mark.parametrize("weights", [[[-0.1]], [[1.1]], [[float("nan")]]])
def test_weights_that_are_no_shares_of_a_whole_are_refused(weights: list[list[float]]) -> None:
    with pytest.raises(ExecutionError, match="weights"):
        decided([0], weights)


def test_rows_of_decisions_must_increase() -> None:
    with pytest.raises(ExecutionError, match="rows must increase"):
        decided([1, 1], [[0.5], [0.5]])


@pytest.mark.parametrize("has_weekends", [True, False])
def test_a_year_of_nights_earns_the_annual_rate_on_every_calendar(*, has_weekends: bool) -> None:
    # Two years: 731 days, one of them of a leap year, or 523 Mondays to Fridays, of which 261 are a year.
    days = np.arange("2023-01-02", "2025-01-03", dtype="datetime64[D]")
    sessions = days if has_weekends else days[np.is_busday(days)]
    panel = panel_of(np.full((sessions.size, 1), 10.0), sessions=sessions)
    found = simulated(panel, decided([0], [[0.0]]), replace(NEXT_OPEN, cash_rate=0.05))
    assert found.equity[-1] == pytest.approx(1_000.0 * 1.05**2, rel=2e-4)
