"""On prices without drift no rule earns anything: the whole of signal, engine and metrics must find about nothing."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from strategy.backtest.cost_presets import PRESETS
from strategy.backtest.run import run_backtest
from strategy.backtest.spec import BacktestSpec, Execution
from strategy.library.dual_momentum import DUAL_MOMENTUM, DualMomentumParameters
from strategy.panel import PricePanel
from support.panels import panel_of

N_PANELS, N_YEARS, N_ASSETS, N_HISTORY = 200, 2, 12, 63
PARAMETERS = DualMomentumParameters(lookback=42, skip=21, top_n=4, risk_free_rate=-0.05)


def noise_panel(seed: int) -> PricePanel:
    """Prices that are martingales: the expected simple return of every session, and of the night before it, is zero."""
    rng = np.random.default_rng(seed)
    shape = (N_HISTORY + N_YEARS * 252, N_ASSETS)
    night, day = 1 + rng.normal(0.0, 0.006, size=shape), 1 + rng.normal(0.0, 0.012, size=shape)
    close = np.cumprod(night * day, axis=0, dtype=np.float64) * 50.0
    return panel_of(close, open_prices=close / day)


def sharpe_of(panel: PricePanel, costs: str) -> float:
    first, last = (row.astype(dt.date) for row in panel.sessions[[N_HISTORY, -1]])
    spec = BacktestSpec(
        strategy=DUAL_MOMENTUM.key,
        strategy_version=DUAL_MOMENTUM.version,
        parameters=PARAMETERS.model_dump(mode="json"),
        universe="NOISE",
        start=first,
        end=last,
        base_currency="USD",
        costs=PRESETS[costs],
        execution=Execution(rebalance="monthly"),
        benchmark=None,
        snapshot="0" * 64,
    )
    result = run_backtest(panel, spec, DUAL_MOMENTUM, PARAMETERS)
    return float(next(metric.value for metric in result.metrics if metric.key == "sharpe") or 0.0)


@pytest.mark.parametrize(("costs", "lowest", "highest"), [("zero", -0.15, 0.15), ("ten_bps", -0.30, 0.05)])
def test_the_mean_sharpe_ratio_of_200_noise_panels_is_about_zero(costs: str, lowest: float, highest: float) -> None:
    """Two years of noise have a Sharpe ratio of 0 +- 0.71, the mean of 200 such 0 +- 0.05: three of these each way.

    10 bp on about 12 portfolios traded a year, purchases and sales, are 1.2 % of one whose volatility is 11 %: costs
    move the mean by about -0.11 and never up.
    """
    mean = float(np.mean([sharpe_of(noise_panel(seed), costs) for seed in range(N_PANELS)]))
    assert lowest < mean < highest
