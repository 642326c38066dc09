"""Trials of a sweep: each is what its spec gives alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from strategy.backtest.costs import CostModel
from strategy.backtest.metrics import session_returns
from strategy.backtest.run import run_backtest
from strategy.backtest.spec import Execution
from strategy.backtest.trials import run_trials
from strategy.errors import ParameterError
from strategy.library.momentum import MOMENTUM, MomentumParameters
from strategy.library.sma_crossover import SMA_CROSSOVER
from support.panels import random_panel
from support.specs import momentum_spec

PANEL = random_panel(11, n_dates=160, n_assets=6, missing=0.01)
SPEC = momentum_spec()
SPECS = [
    SPEC,
    replace(SPEC, parameters={"lookback": 40, "skip": 0, "top_n": 3}),
    replace(SPEC, costs=CostModel(bps=50), benchmark="T003"),
    replace(SPEC, start=dt.date(2020, 4, 1), execution=Execution(rebalance="monthly", fill="next_close")),
]


def test_each_trial_is_to_the_bit_what_its_spec_gives_alone() -> None:
    for spec, trial in zip(SPECS, run_trials(PANEL, SPECS, MOMENTUM), strict=True):
        alone = run_backtest(PANEL, spec, MOMENTUM, MomentumParameters(**spec.parameters))
        assert trial.spec == spec
        assert trial.metrics == alone.metrics
        assert trial.moments == alone.moments
        assert trial.lookahead == alone.lookahead
        np.testing.assert_array_equal(trial.returns, session_returns(alone.simulation.equity))


def test_trials_that_share_signals_are_what_each_gives_on_a_panel_of_its_own() -> None:
    pairs = [(fast, slow) for fast in (3, 5) for slow in (20, 30)]
    specs = [
        replace(SPEC, strategy="sma_crossover", parameters={"fast": fast, "slow": slow, "tickers": []})
        for fast, slow in pairs
    ]
    panel = random_panel(11, n_dates=160, n_assets=6, missing=0.01)
    found = run_trials(panel, specs, SMA_CROSSOVER)
    for spec, trial in zip(specs, found, strict=True):
        own = random_panel(11, n_dates=160, n_assets=6, missing=0.01)
        (alone,) = run_trials(own, [spec], SMA_CROSSOVER)
        assert (trial.metrics, trial.moments, trial.lookahead) == (alone.metrics, alone.moments, alone.lookahead)
        assert trial.returns.tobytes() == alone.returns.tobytes()
        # Two averages from the first decision to the last, where four trials together have made four of the eight.
        assert panel.signals.n_bytes == 2 * own.signals.n_bytes > 0


def test_no_spec_gives_no_trial() -> None:
    assert run_trials(PANEL, [], MOMENTUM) == []


def test_a_spec_of_another_strategy_is_refused() -> None:
    with pytest.raises(ParameterError, match="is not momentum"):
        run_trials(PANEL, [replace(SPEC, strategy="equal_weight")], MOMENTUM)
