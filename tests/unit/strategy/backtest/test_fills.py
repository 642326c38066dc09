"""Sizing: what is set aside for costs covers them, whatever they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.backtest.account import Account, Market
from strategy.backtest.costs import CostModel, CostTier, OrderConditions
from strategy.backtest.fills import target_shares
from strategy.errors import ExecutionError
from strategy.panel import FloatArray

TIERS = (CostTier(up_to=1_000, flat=5), CostTier(up_to=3_000, flat=10), CostTier(up_to=None, bps=12))


def filled(
    weights: list[float],
    costs: CostModel,
    *,
    prices: list[float],
    conditions: OrderConditions | None = None,
    shares: FloatArray | None = None,
    cash: float = 10_000.0,
) -> tuple[FloatArray, FloatArray]:
    market = Market(
        columns=np.arange(len(prices)),
        prices=np.array(prices),
        tradable=np.ones(len(prices), dtype=np.bool_),
        session="now",
        conditions=conditions,
    )
    held = np.zeros(len(prices)) if shares is None else shares
    account = Account(shares=held, cash=cash, market=market, costs=costs)
    target = target_shares(account, np.array(weights))
    return target, account.order_costs(target)


def test_an_order_with_impact_pays_for_itself() -> None:
    # Of 100 shares a day at 10 %, 81 shares of 100 cost 10 % x sqrt(0.81) = 9 % of 8,100.
    conditions = OrderConditions(mean_volume=np.array([100.0]), volatility=np.array([0.1]))
    shares, costs = filled([1.0], CostModel(impact=1), prices=[100.0], conditions=conditions, cash=8_829.0)
    assert shares[0] == pytest.approx(81.0)
    assert costs[0] == pytest.approx(729.0)


def test_an_impact_beyond_the_portfolio_still_finds_the_order_that_can_be_paid() -> None:
    # x shares at 1 cost 3 x sqrt(x): all of 10,350 would cost 3,158,889; 225 cost 10,125.
    conditions = OrderConditions(mean_volume=np.array([1.0]), volatility=np.array([3.0]))
    shares, costs = filled([1.0], CostModel(impact=1), prices=[1.0], conditions=conditions, cash=10_350.0)
    assert shares[0] == pytest.approx(225.0)
    assert costs[0] == pytest.approx(10_125.0)


def test_a_cost_that_jumps_leaves_a_little_in_cash() -> None:
    # 1,003 buy 998 for 5. Of 1,007 an order of 1,002 would cost 10, too much: 1,000 is the most that 5 buys.
    assert filled([1.0], CostModel(tiers=TIERS), prices=[1.0], cash=1_003.0)[0][0] == pytest.approx(998.0)
    shares, costs = filled([1.0], CostModel(tiers=TIERS), prices=[1.0], cash=1_007.0)
    assert shares[0] == pytest.approx(1_000.0)
    assert costs[0] == 5.0


def test_costs_beyond_the_portfolio_are_refused() -> None:
    with pytest.raises(ExecutionError, match="exceed the portfolio's value"):
        filled([1.0], CostModel(flat=20_000), prices=[1.0])


MODELS = st.builds(
    CostModel,
    flat=st.floats(0, 20),
    per_share=st.floats(0, 0.05),
    bps=st.floats(0, 50),
    half_spread_bps=st.floats(0, 50),
    fx_margin_bps=st.floats(0, 100),
    impact=st.floats(0, 3),
    minimum=st.floats(0, 20),
    maximum_bps=st.none() | st.floats(0, 500),
    tiers=st.sampled_from([(), TIERS]),
)


@settings(max_examples=100)
@given(costs=MODELS, seed=st.integers(0, 2**32 - 1))
def test_a_fill_never_spends_more_than_there_is(costs: CostModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    prices, weights = rng.uniform(1, 100, 4), rng.dirichlet(np.ones(4))
    held, cash = np.floor(rng.uniform(0, 100, 4)), float(rng.uniform(500, 5_000))
    conditions = OrderConditions(
        mean_volume=rng.uniform(10, 1e5, 4),
        volatility=rng.uniform(0, 0.1, 4),
        rates=rng.uniform(0.5, 2, 4),
        is_foreign=np.arange(4) < 2,
    )
    shares, paid = filled(list(weights), costs, prices=list(prices), conditions=conditions, shares=held, cash=cash)
    equity = cash + float(held @ prices)
    left = cash - float((shares - held) @ prices + paid.sum())
    assert left >= -1e-9 * equity
    if not (costs.tiers or costs.flat or costs.minimum):
        assert left <= 1e-9 * equity  # where costs do not jump, nothing is left
