"""Trials run again: what a sweep does not keep of each, for the few that are looked at more closely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from strategy.backtest.run import BacktestResult, run_backtest
from strategy.backtest.simulation import Simulation
from strategy.backtest.spec import BacktestSpec
from strategy.library.contract import Strategy
from strategy.panel import PricePanel
from strategy.registry import parsed_parameters


def replays(
    panel: PricePanel,
    specs: Sequence[BacktestSpec],
    strategy: Strategy[Any],  # Any: any strategy
    *,
    decided_on: PricePanel | None = None,
) -> Iterator[BacktestResult]:
    """Whole results of trials of one sweep, one at a time, since each may be as large as the panel.

    Parameters
    ----------
    panel, decided_on : PricePanel
        As for `run_backtest`.
    specs : sequence of BacktestSpec
        All of this strategy; they differ in their parameters only, so that they share their benchmark.
    strategy : Strategy

    Raises
    ------
    StrategyError
        As `run_backtest` does; never for a trial that was computed before.
    """
    benchmark: Simulation | None = None
    for spec in specs:
        parameters = parsed_parameters(strategy, dict(spec.parameters))
        result = run_backtest(panel, spec, strategy, parameters, decided_on=decided_on, benchmark=benchmark)
        benchmark = result.benchmark
        yield result
