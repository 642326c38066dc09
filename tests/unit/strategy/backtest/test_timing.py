"""The all-in/all-out kernel: by hand, and beside the engine."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from strategy.backtest.costs import CostModel
from strategy.backtest.engine import simulate
from strategy.backtest.simulation import Decisions, Simulation
from strategy.backtest.spec import Execution, Fill
from strategy.backtest.timing import crossover_growth, timed_growth
from strategy.errors import ExecutionError
from strategy.library.sma_crossover import SMA_CROSSOVER, SmaCrossoverParameters
from strategy.panel import FloatArray, PricePanel
from support.panels import random_panel

FILLS = np.array([10.0, 20.0, 10.0, 40.0])


def engine(panel: PricePanel, weights: FloatArray, *, bps: float, fill: Fill) -> Simulation:
    """The engine's run of decisions on every session but the last."""
    return simulate(
        panel,
        Decisions(rows=np.arange(panel.n_dates - 1), weights=weights),
        costs=CostModel(bps=bps),
        execution=Execution(fill=fill),
        first_row=0,
        last_row=panel.n_dates - 1,
    )


def test_spells_multiply_and_every_fill_costs_its_share() -> None:
    """In at 10 and out at 20, in at 10 and valued at 30: 2 x 3, less 25 % of three fills: 6 x 0.75 / 1.25 / 1.25."""
    found = timed_growth(np.array([[True, False, True, True]]), FILLS, final_price=30.0, cost_rate=0.25)
    assert_allclose(found.growth, [2.88], rtol=1e-14)
    assert_array_equal(found.n_orders, [3])


def test_signals_do_not_touch_one_another() -> None:
    """The first ends in the asset, the second begins in it: 4 of the first, 3 of the second, nothing of the third."""
    holds = np.array([[False, False, True, True], [True, True, True, True], [False] * 4])
    found = timed_growth(holds, FILLS, final_price=30.0, cost_rate=0.0)
    assert_allclose(found.growth, [3.0, 3.0, 1.0], rtol=1e-14)
    assert_array_equal(found.n_orders, [1, 1, 0])


@given(
    seed=st.integers(0, 2**32 - 1),
    bps=st.sampled_from([0.0, 10.0, 300.0]),
    fill=st.sampled_from(["next_open", "next_close"]),
)
@settings(deadline=None, max_examples=20)
def test_it_equals_the_engine(seed: int, bps: float, fill: Fill) -> None:
    panel = random_panel(seed, n_dates=40, n_assets=1)
    holds = np.random.default_rng(seed).random((3, 39)) < 0.5
    prices = panel.field("open" if fill == "next_open" else "close")[1:, 0]
    found = timed_growth(holds, prices, final_price=panel.close_prices[-1, 0], cost_rate=bps / 10_000)
    for number, signal in enumerate(holds):
        exact = engine(panel, signal[:, np.newaxis].astype(np.float64), bps=bps, fill=fill)
        assert_allclose(found.growth[number], exact.equity[-1] / exact.equity[0], rtol=1e-9)
        assert found.n_orders[number] == exact.orders.columns.size


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=10)
def test_every_pair_of_averages_equals_the_engine_on_the_strategy(seed: int) -> None:
    panel, windows = random_panel(seed, n_dates=60, n_assets=1), np.array([1, 2, 5, 9])
    closes = panel.close_prices[:, 0]
    pairs, found = crossover_growth(
        panel.prices[:-1, 0], closes[1:], windows, final_price=float(closes[-1]), cost_rate=0.001
    )
    assert [tuple(pair) for pair in pairs.tolist()] == list(combinations(windows.tolist(), 2))
    for (fast, slow), growth in zip(pairs.tolist(), found.growth, strict=True):
        weights = SMA_CROSSOVER.target_weights(panel, np.arange(59), SmaCrossoverParameters(fast=fast, slow=slow))
        exact = engine(panel, weights, bps=10.0, fill="next_close")
        assert_allclose(growth, exact.equity[-1] / exact.equity[0], rtol=1e-9)


def test_one_window_makes_no_pair() -> None:
    pairs, found = crossover_growth(FILLS, FILLS, np.array([2]), final_price=1.0, cost_rate=0.0)
    assert (pairs.shape, found.growth.shape) == ((0, 2), (0,))


def test_windows_that_do_not_increase_are_refused() -> None:
    with pytest.raises(ExecutionError, match="windows"):
        crossover_growth(FILLS, FILLS, np.array([3, 3]), final_price=1.0, cost_rate=0.0)


@pytest.mark.parametrize("price", [np.nan, 0.0, np.inf])
def test_a_fill_without_a_price_is_left_to_the_engine(price: float) -> None:
    with pytest.raises(ExecutionError, match="fill_prices"):
        timed_growth(np.ones((1, 1), dtype=np.bool_), np.array([price]), final_price=1.0, cost_rate=0.0)
    with pytest.raises(ExecutionError, match="final_price"):
        timed_growth(np.ones((1, 1), dtype=np.bool_), np.array([1.0]), final_price=price, cost_rate=0.0)


def test_a_price_missing_for_a_decision_is_refused() -> None:
    with pytest.raises(ExecutionError, match="one price for each of 3 decisions"):
        timed_growth(np.ones((1, 3), dtype=np.bool_), FILLS, final_price=1.0, cost_rate=0.0)


def test_a_cost_that_takes_everything_is_refused() -> None:
    with pytest.raises(ExecutionError, match="cost_rate"):
        timed_growth(np.ones((1, 4), dtype=np.bool_), FILLS, final_price=1.0, cost_rate=1.0)
