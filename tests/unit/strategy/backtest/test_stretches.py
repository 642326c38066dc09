"""Stretches that are crossed at once: by hand, and against the same fills one by one, which know nothing of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from strategy.adjustments import CorporateActions
from strategy.backtest import engine
from strategy.backtest.costs import CostModel, CostTier
from strategy.backtest.plan import Plan, has_stretches
from strategy.backtest.simulation import Decisions, Simulation
from strategy.backtest.spec import Execution
from strategy.backtest.valuation import delistings
from strategy.calendar import decision_rows
from strategy.errors import ExecutionError
from strategy.panel import Conversion, PricePanel
from support.panels import panel_of, random_panel

CLOSES = Execution(fill="next_close", initial_cash=1000.0)
OPENS = Execution(fill="next_open", initial_cash=1000.0)
COSTS = (
    CostModel(),
    CostModel(flat=0.5, bps=10),
    CostModel(per_share=0.01, minimum=0.4, maximum_bps=100, half_spread_bps=3),
    CostModel(bps=5, impact=1.0),
    CostModel(bps=5, fx_margin_bps=40),
    CostModel(tiers=(CostTier(up_to=100.0, bps=20), CostTier(up_to=None, bps=10))),
)
EXECUTIONS = (OPENS, CLOSES, replace(OPENS, cash_rate=0.05, delist_after=3, delisting_return=-0.3))


def simulated(
    panel: PricePanel, decisions: Decisions, execution: Execution, costs: CostModel, *, one_by_one: bool = False
) -> Simulation:
    with pytest.MonkeyPatch.context() as patch:
        if one_by_one:
            patch.setattr(engine, "has_stretches", lambda *_: False)
        return engine.simulate(
            panel, decisions, costs=costs, execution=execution, first_row=0, last_row=panel.n_dates - 1
        )


def every_session(panel: PricePanel, weights: list[list[float]]) -> Decisions:
    """Decisions at every close but the last, the weights in turn."""
    rows = np.arange(panel.n_dates - 1)
    return Decisions(rows=rows, weights=np.array(weights, dtype=np.float64)[rows % len(weights)])


def random_market(seed: int, *, missing: float, is_foreign: bool) -> tuple[PricePanel, Decisions]:
    """Eighty sessions of six assets with volumes, splits and dividends, decided upon twice a week."""
    rng = np.random.default_rng(seed)
    panel = random_panel(seed, n_dates=80, n_assets=6, missing=missing)
    places = sorted({(int(rng.integers(1, 80)), int(rng.integers(0, 6))) for _ in range(25)})
    fields = {name: values.copy() for name, values in panel.fields.items()}
    ratios = rng.choice([1.0, 1.0, 2.0, 0.1], size=len(places))
    for (row, column), ratio in zip(places, ratios, strict=True):
        for values in fields.values():
            values[row:, column] /= ratio
    if missing:
        for values in fields.values():
            values[50:, 0] = np.nan
    fields["volume"] = rng.uniform(50.0, 500.0, size=panel.close_prices.shape).round()
    actions = CorporateActions(
        rows=np.array([row for row, _ in places], dtype=np.intp),
        columns=np.array([column for _, column in places], dtype=np.intp),
        split_ratios=ratios,
        dividends=rng.choice([0.0, 0.25], size=len(places)),
    )
    rates = np.exp(rng.normal(0, 0.1, size=panel.close_prices.shape))
    conversion = Conversion(rates=rates, is_foreign=np.arange(6) % 2 == 0) if is_foreign else None
    panel = replace(panel, fields=fields, actions=actions, conversion=conversion)
    rows = decision_rows(panel.sessions, "weekly")
    rows = np.unique(np.concatenate([rows, rows[:-1] + 2]))
    rows = rows[(rows >= 20) & (rows < 80)]
    weights = rng.random((rows.size, 6)) * (rng.random((rows.size, 6)) < 0.7) * panel.active[rows]
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    return panel, Decisions(rows=rows, weights=weights / total * rng.choice([0.0, 0.6, 1.0], size=(rows.size, 1)))


# By hand ------------------------------------------------------------------------------------------------------------


def test_costs_are_paid_out_of_what_is_invested_at_every_fill() -> None:
    panel = panel_of(np.full((12, 1), 10.0))
    found = simulated(panel, every_session(panel, [[1.0], [0.0]]), CLOSES, CostModel(bps=100))
    # A purchase leaves V / 1.01, a sale 0.99 of that; six purchases and five sales.
    after = [1000.0 * (0.99 / 1.01) ** (n // 2) / (1.01 if n % 2 else 1) for n in range(12)]
    assert_allclose(found.equity, after, rtol=1e-12)
    assert_allclose(found.orders.shares[:2], [1000 / 1.01 / 10, -1000 / 1.01 / 10], rtol=1e-12)


def test_a_flat_part_is_paid_for_every_order_that_is_one() -> None:
    panel = panel_of(np.full((12, 2), 10.0))
    found = simulated(panel, every_session(panel, [[0.5, 0.5]]), CLOSES, CostModel(flat=2.0))
    # Prices stand still: two orders at the first fill, and none, not even a tiny one, afterwards.
    assert_allclose(found.orders.shares, [49.8, 49.8], rtol=1e-12)
    assert_allclose(found.equity, [1000.0] + [996.0] * 11, rtol=1e-12)
    assert found.event_rows.tolist() == [1]


def test_splits_and_dividends_between_fills_are_those_of_the_shares_then_held() -> None:
    actions = CorporateActions(
        rows=np.arange(2, 12),
        columns=np.zeros(10, dtype=np.intp),
        split_ratios=np.array([2.0] + [1.0] * 9),
        dividends=np.array([0.0] + [0.1] * 9),
    )
    closes = np.where(np.arange(12) < 2, 10.0, 5.0)[:, np.newaxis]
    panel = panel_of(closes, actions=actions)
    found = simulated(panel, Decisions(rows=np.array([0, 6]), weights=np.array([[1.0], [0.5]])), CLOSES, CostModel())
    # 100 shares become 200 on row 2; 0.1 each on rows 3 to 7, the last before the fill: 1,000 + 5 x 20 = 1,100, of
    # which half buys 110 shares; 11 on each of the four rows left.
    assert found.event_rows.tolist() == [1, 2, 7]
    assert_allclose(found.event_shares[:, 0], [100.0, 200.0, 110.0], rtol=1e-12)
    assert_allclose(found.cash[1:], [0, 0, 20, 40, 60, 80, 550, 561, 572, 583, 594], atol=1e-9)
    assert found.dividends == pytest.approx(144.0)


def test_costs_that_use_up_the_portfolio_are_refused_with_their_session() -> None:
    panel = panel_of(np.full((12, 1), 10.0))
    with pytest.raises(ExecutionError, match="exceed the portfolio's value on 2020-01-09"):
        simulated(panel, every_session(panel, [[1.0], [0.0]]), CLOSES, CostModel(flat=199.0))


def test_a_portfolio_that_delistings_have_used_up_stays_at_nothing() -> None:
    closes = np.full((30, 2), 10.0)
    closes[5:, 0] = np.nan
    decisions = Decisions(rows=np.arange(29), weights=np.array([[1.0, 0.0]] * 10 + [[0.0, 1.0]] * 19))
    found = simulated(panel_of(closes), decisions, replace(CLOSES, delist_after=3, delisting_return=-1.0), CostModel())
    # Held since row 1, without a close on rows 5 to 7, and then worth nothing.
    assert found.equity.tolist() == [1000.0] * 7 + [0.0] * 23
    assert found.orders.kinds.tolist() == ["rebalance", "delisting"]


# Against the same one by one ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("execution", EXECUTIONS)
@pytest.mark.parametrize("costs", COSTS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), missing=st.sampled_from([0.0, 0.004]))
def test_a_stretch_is_its_fills_one_by_one(execution: Execution, costs: CostModel, seed: int, missing: float) -> None:
    panel, decisions = random_market(seed, missing=missing, is_foreign=costs.fx_margin_bps > 0)
    found = simulated(panel, decisions, execution, costs)
    expected = simulated(panel, decisions, execution, costs, one_by_one=True)
    assert_allclose(found.equity, expected.equity, rtol=1e-9)
    assert_allclose(found.cash, expected.cash, rtol=1e-9, atol=1e-6)
    assert_array_equal(found.orders.columns, expected.orders.columns)
    assert_array_equal(found.orders.fill_rows, expected.orders.fill_rows)
    assert_array_equal(found.orders.decision_rows, expected.orders.decision_rows)
    assert_array_equal(found.orders.kinds, expected.orders.kinds)
    assert_allclose(found.orders.shares, expected.orders.shares, rtol=1e-9, atol=1e-9)
    assert_allclose(found.orders.costs, expected.orders.costs, rtol=1e-9, atol=1e-9)
    assert_array_equal(found.event_rows, expected.event_rows)
    assert_allclose(found.event_shares, expected.event_shares, rtol=1e-9, atol=1e-9)
    assert found.dividends == pytest.approx(expected.dividends, rel=1e-9)
    assert found.interest == pytest.approx(expected.interest, rel=1e-9, abs=1e-9)
    books = found.books()
    assert sum(books.values()) - 2 * (books["costs"] + books["final_equity"]) == pytest.approx(0, abs=1e-8)


def test_what_is_compared_is_crossed_at_once() -> None:
    panel, decisions = random_market(7, missing=0.0, is_foreign=False)
    plan = Plan(
        panel,
        decisions,
        costs=COSTS[1],
        execution=CLOSES,
        last_row=panel.n_dates - 1,
        delisted=delistings(panel, CLOSES.delist_after),
    )
    stretch = plan.stretch(0, np.zeros(panel.n_assets))
    assert stretch is not None
    assert (stretch.begin, stretch.stop, len(stretch.fill_rows)) == (1, 80, int((decisions.rows < 79).sum()))


@pytest.mark.parametrize(
    "execution",
    [
        replace(CLOSES, fractional_shares=False),
        replace(CLOSES, volume_cap=0.1),
        replace(CLOSES, minimum_order=5.0),
        replace(CLOSES, maximum_turnover=0.5),
        replace(CLOSES, dividends="reinvest"),
    ],
)
def test_fills_that_depend_on_more_than_weights_prices_and_costs_have_no_stretches(execution: Execution) -> None:
    decisions = Decisions(rows=np.array([0]), weights=np.array([[1.0]]))
    assert has_stretches(decisions, CLOSES)
    assert not has_stretches(decisions, execution)
    assert not has_stretches(Decisions(rows=np.array([0]), weights=np.array([[-0.5]]), allow_short=True), CLOSES)


def test_an_obstacle_is_a_fill_without_a_price_or_the_delisting_of_what_is_held() -> None:
    closes = np.full((40, 2), 10.0)
    closes[15, 0] = closes[25:, 1] = np.nan
    panel = panel_of(closes)
    execution = replace(CLOSES, delist_after=3)
    rows = np.arange(24)
    decisions = Decisions(rows=rows, weights=np.full((24, 2), 0.5))
    plan = Plan(
        panel,
        decisions,
        costs=CostModel(),
        execution=execution,
        last_row=39,
        delisted=delistings(panel, 3),
    )
    stops = [stretch.stop for done in (0, 15) if (stretch := plan.stretch(done, np.ones(2))) is not None]
    # No close of the first on row 15; none of the second on rows 25 to 27, so that it is delisted on 27.
    assert stops == [15, 27]
