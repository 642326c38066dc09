"""Orders that are not filled as they were sized: by hand, against a plain reference, and by properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.adjustments import CorporateActions
from strategy.backtest.costs import CostModel
from strategy.backtest.engine import simulate
from strategy.backtest.liquidity import mean_volume
from strategy.backtest.simulation import Decisions, Simulation
from strategy.backtest.spec import Execution
from strategy.calendar import decision_rows
from strategy.errors import ExecutionError
from strategy.panel import FloatArray, PricePanel
from support.panels import panel_of, random_panel
from support.reference_engine import Reference

FREE = CostModel()
CLOSES = Execution(fill="next_close", initial_cash=1000.0)
SEEDS = st.integers(0, 2**32 - 1)


def traded(panel: PricePanel, volume: FloatArray | float) -> PricePanel:
    """The panel with volumes."""
    volumes = np.broadcast_to(np.asarray(volume, dtype=np.float64), panel.close_prices.shape).copy()
    return replace(panel, fields={**panel.fields, "volume": volumes})


def decided(rows: list[int], weights: list[list[float]]) -> Decisions:
    return Decisions(rows=np.array(rows, dtype=np.intp), weights=np.array(weights, dtype=np.float64))


def simulated(panel: PricePanel, decisions: Decisions, execution: Execution, costs: CostModel = FREE) -> Simulation:
    return simulate(panel, decisions, costs=costs, execution=execution, first_row=0, last_row=panel.n_dates - 1)


def random_run(seed: int, execution: Execution, costs: CostModel) -> tuple[PricePanel, Decisions, Simulation]:
    """Forty sessions of five assets with gaps and thin volumes, decided upon once a week."""
    rng = np.random.default_rng(seed)
    panel = random_panel(seed, n_dates=40, n_assets=5, missing=0.1)
    panel = traded(panel, rng.uniform(5.0, 500.0, size=panel.close_prices.shape).round())
    rows = decision_rows(panel.sessions, "weekly")
    weights = rng.random((rows.size, 5)) * (rng.random((rows.size, 5)) < 0.7) * panel.active[rows]
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    decisions = Decisions(rows=rows, weights=weights)
    return panel, decisions, simulated(panel, decisions, execution, costs)


# By hand ------------------------------------------------------------------------------------------------------------


def test_an_order_takes_its_share_of_the_volume_and_the_rest_on_the_sessions_that_follow() -> None:
    panel = traded(panel_of(np.full((6, 1), 10.0)), 400.0)
    found = simulated(panel, decided([0], [[1.0]]), replace(CLOSES, volume_cap=0.1))
    # 100 shares are wanted, and 10 % of 400 is 40 a session: 40, 40 and 20.
    assert found.orders.shares.tolist() == [40.0, 40.0, 20.0]
    assert found.orders.fill_rows.tolist() == [1, 2, 3]
    assert found.orders.decision_rows.tolist() == [0, 0, 0]
    assert found.orders.kinds.tolist() == ["rebalance"] * 3
    assert (found.n_unfilled, found.unfilled_value) == (0, 0.0)


def test_the_next_decision_replaces_what_is_left() -> None:
    panel = traded(panel_of(np.full((5, 1), 10.0)), 100.0)
    found = simulated(panel, decided([0, 2], [[1.0], [0.25]]), replace(CLOSES, volume_cap=0.1))
    # 10 shares on rows 1 and 2; 80 are given up on row 3, where 25 are wanted; the last 5 of them are bought then.
    assert found.orders.shares.tolist() == [10.0, 10.0, 5.0]
    assert found.unfilled_value == pytest.approx(800.0)


def test_a_sale_that_is_cut_keeps_back_the_buy_it_was_to_pay_for() -> None:
    panel = traded(panel_of(np.full((7, 2), 10.0)), np.array([[500.0, 5000.0]]))
    execution = replace(CLOSES, volume_cap=0.1)
    found = simulated(panel, decided([0, 3], [[1.0, 0.0], [0.0, 1.0]]), execution)
    # The first takes 50 a session: bought on rows 1 and 2, sold on 4 and 5; the second is bought as cash comes in.
    assert found.shares_on(4).tolist() == [50.0, 50.0]
    assert found.shares_on(5).tolist() == [0.0, 100.0]
    assert found.cash.tolist() == [1000.0, 500.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_what_is_carried_counts_in_shares_after_a_split() -> None:
    panel = traded(panel_of(np.array([[10.0], [10.0], [5.0], [5.0], [5.0]])), np.array([[400.0]] * 2 + [[800.0]] * 3))
    actions = CorporateActions(
        rows=np.array([2]), columns=np.array([0]), split_ratios=np.array([2.0]), dividends=np.array([0.0])
    )
    execution = replace(CLOSES, volume_cap=0.1)
    found = simulated(replace(panel, actions=actions), decided([0], [[1.0]]), execution)
    # 40 of 100; after the split 120 are left, and 10 % of the volume counted in new shares is 80.
    assert found.orders.shares.tolist() == [40.0, 80.0, 40.0]


def test_where_no_volume_is_known_nothing_is_traded() -> None:
    volume = np.array([[np.nan, 100.0]] * 4)
    panel = traded(panel_of(np.full((4, 2), 10.0)), volume)
    found = simulated(panel, decided([0], [[0.1, 0.1]]), replace(CLOSES, volume_cap=1.0))
    assert found.shares_on(3).tolist() == [0.0, 10.0]


def test_orders_are_rounded_down_to_whole_lots() -> None:
    panel = panel_of(np.array([[3.0, 7.0], [3.0, 7.0], [3.0, 7.0]]))
    found = simulated(panel, decided([0], [[0.5, 0.5]]), replace(CLOSES, fractional_shares=False, lot_size=50))
    # 500 / 3 is 166 shares: 3 lots; 500 / 7 is 71: one lot.
    assert found.shares_on(2).tolist() == [150.0, 50.0]
    assert found.cash[-1] == pytest.approx(1000 - 450 - 350)


def test_an_order_below_the_minimum_is_not_sent_and_counted() -> None:
    panel = panel_of(np.full((3, 2), 10.0))
    found = simulated(panel, decided([0], [[0.8, 0.04]]), replace(CLOSES, minimum_order=50.0))
    assert found.shares_on(2).tolist() == [80.0, 0.0]
    assert found.n_unfilled == 1


def test_a_maximum_turnover_shrinks_all_trades_alike() -> None:
    panel = panel_of(np.full((6, 2), 10.0))
    execution = replace(CLOSES, maximum_turnover=0.2)
    found = simulated(panel, decided([0, 1, 2], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), execution)
    # Half of the traded value is at most 200: 40 shares, 40 more, then 20 sold and 20 bought with 20 % still in cash:
    # sell 80 and buy 100 are 1,800, half is 900, of which 200 are allowed: 2/9 of each.
    assert found.shares_on(2).tolist() == [80.0, 0.0]
    np.testing.assert_allclose(found.shares_on(3), [80 - 80 * 2 / 9, 100 * 2 / 9], rtol=1e-12)


def test_dividends_buy_shares_at_the_close_of_the_ex_date() -> None:
    actions = CorporateActions(
        rows=np.array([2]), columns=np.array([0]), split_ratios=np.array([1.0]), dividends=np.array([0.5])
    )
    panel = panel_of(np.array([[10.0], [10.0], [8.0], [16.0]]), actions=actions)
    found = simulated(panel, decided([0], [[1.0]]), replace(CLOSES, dividends="reinvest"))
    # 100 shares pay 50, which buys 6.25 at 8.
    assert found.shares_on(2).tolist() == [106.25]
    assert found.equity.tolist() == [1000.0, 1000.0, 850.0, 1700.0]
    assert found.orders.kinds.tolist() == ["rebalance", "reinvestment"]
    whole = simulated(panel, decided([0], [[1.0]]), replace(CLOSES, dividends="reinvest", fractional_shares=False))
    assert (whole.shares_on(2).tolist(), whole.cash[-1]) == ([106.0], 2.0)


def test_all_dividends_reinvested_give_the_total_return() -> None:
    close = random_panel(7, n_dates=60, n_assets=1).close_prices
    actions = CorporateActions(
        rows=np.array([10, 30, 50]), columns=np.zeros(3, dtype=np.intp), split_ratios=np.ones(3), dividends=np.ones(3)
    )
    panel = panel_of(close, actions=actions)
    found = simulated(panel, decided([0], [[1.0]]), replace(CLOSES, dividends="reinvest"))
    np.testing.assert_allclose(found.equity[1:] / found.equity[1], panel.prices[1:, 0] / panel.prices[1, 0], rtol=1e-12)


# Properties ---------------------------------------------------------------------------------------------------------

LIMITS = st.builds(
    Execution,
    fill=st.sampled_from(["next_open", "next_close"]),
    fractional_shares=st.just(False),
    initial_cash=st.just(20_000.0),
    volume_cap=st.sampled_from([None, 0.05, 0.5]),
    lot_size=st.sampled_from([1, 10]),
    minimum_order=st.sampled_from([0.0, 400.0]),
    maximum_turnover=st.sampled_from([None, 0.1]),
)
COSTS = CostModel(flat=1.0, bps=10)


@given(seed=SEEDS, execution=LIMITS)
@settings(deadline=None, max_examples=40)
def test_no_order_breaks_a_limit_and_no_cash_is_owed(seed: int, execution: Execution) -> None:
    panel, _, found = random_run(seed, execution, COSTS)
    orders = found.orders
    assert (found.cash >= -1e-6).all()
    is_sent = orders.kinds != "delisting"
    assert (orders.values[is_sent] >= execution.minimum_order).all()
    after = np.array(
        [found.shares_on(int(row))[column] for row, column in zip(orders.fill_rows, orders.columns, strict=True)]
    )
    is_whole = orders.shares % execution.lot_size == 0
    assert (is_whole | (after == 0) | ~is_sent).all()
    for row in np.unique(orders.fill_rows[is_sent]):
        here = is_sent & (orders.fill_rows == row)
        if execution.volume_cap is not None:
            caps = execution.volume_cap * mean_volume(panel, int(row))[orders.columns[here]]
            assert (np.abs(orders.shares[here]) <= caps).all()
        if execution.maximum_turnover is not None and (orders.kinds[here] == "rebalance").all():
            equity = found.equity[row - 1] * 1.5  # generous to the overnight move, the limit is of the fill's equity
            assert orders.values[here].sum() / 2 <= execution.maximum_turnover * equity
    books = found.books()
    explained = (
        sum(books[name] for name in ("initial_cash", "trading_profit", "dividends", "interest")) - books["costs"]
    )
    assert explained == pytest.approx(books["final_equity"], abs=1e-6)


@given(seed=SEEDS)
@settings(deadline=None, max_examples=20)
def test_limits_that_do_not_bind_change_nothing(seed: int) -> None:
    wide = Execution(volume_cap=1.0, minimum_order=1e-9, maximum_turnover=1.0, initial_cash=10.0)
    _, _, found = random_run(seed, wide, CostModel(bps=10))
    _, _, plain = random_run(seed, Execution(initial_cash=10.0), CostModel(bps=10))
    np.testing.assert_allclose(found.equity, plain.equity, rtol=1e-9)


@given(seed=SEEDS)
@settings(deadline=None, max_examples=20)
def test_twice_the_money_on_twice_the_volume_is_twice_the_result(seed: int) -> None:
    execution = Execution(initial_cash=20_000.0, volume_cap=0.05, minimum_order=400.0, maximum_turnover=0.3)
    panel, decisions, found = random_run(seed, execution, CostModel(bps=10, flat=1.0))
    double = replace(execution, initial_cash=40_000.0, minimum_order=800.0)
    other = simulated(traded(panel, panel.field("volume") * 2), decisions, double, CostModel(bps=10, flat=2.0))
    np.testing.assert_allclose(other.equity, found.equity * 2, rtol=1e-9)


@given(
    seed=SEEDS,
    cap=st.sampled_from([0.05, 0.5]),
    turnover=st.sampled_from([None, 0.2]),
    minimum=st.sampled_from([0.0, 400.0]),
    costs=st.sampled_from([FREE, CostModel(flat=1.0, bps=10)]),
)
@settings(deadline=None, max_examples=40)
def test_a_plain_loop_over_days_agrees(
    seed: int, cap: float, turnover: float | None, minimum: float, costs: CostModel
) -> None:
    execution = Execution(
        initial_cash=20_000.0, volume_cap=cap, maximum_turnover=turnover, minimum_order=minimum, delist_after=3
    )
    panel, decisions, found = random_run(seed, execution, costs)
    expected = Reference(panel, costs, execution).run(decisions, 0, panel.n_dates - 1)
    np.testing.assert_allclose(found.equity, expected, rtol=1e-9)


# Bad input ----------------------------------------------------------------------------------------------------------


def test_a_cap_where_there_are_no_volumes_is_refused_with_the_remedy() -> None:
    panel = traded(panel_of(np.full((3, 1), 10.0)), np.nan)
    with pytest.raises(ExecutionError, match=r"volume_cap=0\.1: needs volumes"):
        simulated(panel, decided([0], [[1.0]]), replace(CLOSES, volume_cap=0.1))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("volume_cap", 0.0),
        ("volume_cap", 1.1),
        ("maximum_turnover", -0.1),
        ("minimum_order", float("inf")),
        ("lot_size", 0),
        ("lot_size", 100),
        ("dividends", "spent"),
    ],
)
def test_a_wrong_limit_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ExecutionError, match=field):
        Execution(**{field: value})  # type: ignore[arg-type]  # wrong on purpose
