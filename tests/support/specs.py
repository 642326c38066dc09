"""A spec to test with, for the panels of `support.panels`."""

from __future__ import annotations

import datetime as dt

from strategy.backtest.costs import CostModel
from strategy.backtest.spec import BacktestSpec, Execution


def momentum_spec() -> BacktestSpec:
    """Weekly momentum from March to August 2020, 10 bp and 3.0 an order."""
    return BacktestSpec(
        strategy="momentum",
        strategy_version=1,
        parameters={"lookback": 30, "skip": 2, "top_n": 2},
        universe="U",
        start=dt.date(2020, 3, 2),
        end=dt.date(2020, 8, 11),
        base_currency="USD",
        costs=CostModel(bps=10, flat=3),
        execution=Execution(rebalance="weekly"),
        benchmark=None,
        snapshot="0" * 64,
    )
