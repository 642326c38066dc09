"""A walk forward judges each choice by what follows it, and pays for changing from one choice to the next."""

from __future__ import annotations

import numpy as np
import pytest

from strategy.backtest.costs import CostModel
from strategy.backtest.run import run_backtest
from strategy.backtest.valuation import valuation_prices
from strategy.errors import InsufficientHistoryError
from strategy.library.momentum import MOMENTUM, MomentumParameters
from strategy.panel import PricePanel
from strategy.sweeps.spec import WalkForward
from strategy.sweeps.walks import Fold, Walk, charged, held_per_equity, sessions_needed, walked
from support.panels import panel_of, random_panel
from support.specs import momentum_spec


def walk_of(chosen: list[int], returns: list[float]) -> Walk:
    """Tests of two sessions each, the first of them entered at the close of session 2."""
    folds = tuple(
        Fold(train=(0, 1), test=(2 + 2 * step, 3 + 2 * step), chosen=trial, train_sharpe=1.0, test_sharpe=1.0)
        for step, trial in enumerate(chosen)
    )
    return Walk(folds=folds, returns=np.array(returns))


def two_assets() -> PricePanel:
    """One always at 10, one always at 20."""
    return panel_of(np.tile([10.0, 20.0], (12, 1)))


def test_a_walk_forward_judges_each_choice_by_the_sessions_after_it() -> None:
    # Trial 0 is good before session 40 and bad after it, trial 1 the other way round: the choice is always a step late.
    wave = np.where(np.arange(80) % 2, 0.001, -0.001)
    returns = np.column_stack([wave, wave])
    returns[:40, 0] += 0.01
    returns[40:, 1] += 0.01
    found = walked(returns, WalkForward(n_train=20, n_test=20))
    assert [(it.train, it.test, it.chosen) for it in found.folds] == [
        ((0, 19), (20, 39), 0),
        ((20, 39), (40, 59), 0),
        ((40, 59), (60, 79), 1),
    ]
    np.testing.assert_array_equal(found.returns, np.concatenate([returns[20:60, 0], returns[60:, 1]]))


def noise(n_sessions: int, n_trials: int) -> np.ndarray:
    return np.random.default_rng(7).normal(0.0, 0.01, (n_sessions, n_trials))


def test_a_history_too_short_to_walk_is_refused() -> None:
    with pytest.raises(InsufficientHistoryError):
        walked(noise(64, 2), WalkForward(n_train=64, n_test=10))


def test_each_trial_is_needed_where_it_is_entered_and_where_it_is_left() -> None:
    walk = walk_of([5, 7, 7, 5], [0.0] * 8)
    assert sessions_needed(walk) == {5: [2, 4, 8], 7: [4, 6, 8]}


def test_a_change_of_holdings_is_charged_by_hand() -> None:
    """Trial 0 is all in the asset at 10, trial 1 all in the one at 20; 10 bp and 1.0 an order, 1,000 at first.

    Entering buys 1,000 for 1 + 1, which leaves 998. Changing sells 998 and buys 998 for 2 * (0.998 + 1). Keeping a
    trial costs nothing.
    """
    held = {(trial, session): np.eye(2)[trial] / [10.0, 20.0] for trial in (0, 1) for session in (2, 4, 6)}
    costs = CostModel(bps=10, flat=1)
    found = charged(walk_of([0, 1, 1], [0.0] * 6), held, two_assets(), costs, first_row=0, initial_cash=1_000.0)
    assert [fold.cost for fold in found.folds] == pytest.approx([0.002, 3.996 / 998, 0.0])
    assert [fold.turnover for fold in found.folds] == pytest.approx([0.5, 1.0, 0.0])
    assert found.returns == pytest.approx([-0.002, 0.0, -3.996 / 998, 0.0, 0.0, 0.0])


def test_what_two_trials_have_in_common_is_not_traded() -> None:
    """From half in each asset to all in the second: half is sold, half is bought, at 1 %."""
    held = {(0, 2): np.array([0.05, 0.025]), (0, 4): np.array([0.05, 0.025]), (1, 4): np.array([0.0, 0.05])}
    returns = [0.1, 0.0, 0.2, 0.0]
    found = charged(walk_of([0, 1], returns), held, two_assets(), CostModel(bps=100), first_row=0, initial_cash=1e6)
    assert [fold.turnover for fold in found.folds] == pytest.approx([0.5, 0.5])
    assert [fold.cost for fold in found.folds] == pytest.approx([0.01, 0.01])
    assert found.returns == pytest.approx([1.1 * 0.99 - 1, 0.0, 1.2 * 0.99 - 1, 0.0])


def test_costs_above_the_equity_leave_nothing_and_are_not_charged_again() -> None:
    held = {(trial, session): np.eye(2)[trial] / [10.0, 20.0] for trial in (0, 1) for session in (2, 4)}
    found = charged(walk_of([0, 1], [0.0] * 4), held, two_assets(), CostModel(flat=50), first_row=0, initial_cash=40.0)
    assert found.returns.tolist() == [-1.0, 0.0, 0.0, 0.0]
    assert [fold.cost for fold in found.folds] == [1.0, 0.0]


def test_holdings_for_one_unit_of_equity_and_cash_are_one() -> None:
    panel = random_panel(11, n_dates=160, n_assets=6, missing=0.01)
    spec = momentum_spec()
    found = run_backtest(panel, spec, MOMENTUM, MomentumParameters(**spec.parameters)).simulation
    for session in (0, 1, 40, 77):
        prices = valuation_prices(panel)[found.rows[session]]
        invested = float((held_per_equity(found, session) * np.nan_to_num(prices)).sum())
        assert invested + found.cash[session] / found.equity[session] == pytest.approx(1, abs=1e-12)


def test_where_volumes_are_unknown_the_other_costs_are_charged() -> None:
    panel = two_assets()
    volumes = np.tile([100.0, np.nan], (12, 1))
    panel = PricePanel(
        sessions=panel.sessions,
        tickers=panel.tickers,
        fields={**panel.fields, "volume": volumes},
        actions=panel.actions,
        member=panel.member,
    )
    held = {(0, 2): np.array([0.05, 0.025])}
    costs = CostModel(bps=100, impact=1.0)
    found = charged(walk_of([0], [0.0] * 2), held, panel, costs, first_row=0, initial_cash=100.0)
    # Prices that never moved have a volatility of zero, so that the impact of the known one is zero as well.
    assert found.folds[0].cost == pytest.approx(0.01)
