"""Many specs of one strategy on one panel.

What specs have in common is computed once: the panel keeps its total-return prices and remembers signals
(`PricePanel.remembered`), and a benchmark is simulated once for all that share it. A trial is what `run_backtest` gives
for its spec, to the bit: so the growth of timing rules by sums of logarithms (`strategy.backtest.timing`) is not it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from strategy.backtest.metrics import Metric, ReturnMoments, session_returns
from strategy.backtest.run import BacktestResult, run_backtest
from strategy.backtest.simulation import Simulation
from strategy.backtest.spec import BacktestSpec
from strategy.errors import ParameterError
from strategy.library.contract import Strategy
from strategy.panel import FloatArray, PricePanel
from strategy.registry import parsed_parameters
from strategy.validation.lookahead import LookaheadProof


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a sweep keeps of one spec.

    Parameters
    ----------
    spec : BacktestSpec
    metrics : tuple of Metric
    moments : ReturnMoments
        Of `returns`, for the trial ledger.
    returns : ndarray of shape (n_sessions - 1,)
        Simple returns of the sessions after the first decision, after costs, as fractions.
    lookahead : LookaheadProof
    """

    spec: BacktestSpec
    metrics: tuple[Metric, ...]
    moments: ReturnMoments
    returns: FloatArray
    lookahead: LookaheadProof


def run_trials(
    panel: PricePanel,
    specs: Sequence[BacktestSpec],
    strategy: Strategy[Any],
    *,
    decided_on: PricePanel | None = None,
) -> list[Trial]:
    """One trial for each spec, in their order.

    Parameters
    ----------
    panel : PricePanel
        Every session of the snapshot up to the common `end` of the specs.
    specs : sequence of BacktestSpec
        All of this strategy; their parameters, spans, costs and execution may differ.
    strategy : Strategy
    decided_on : PricePanel or None
        As for `run_backtest`.

    Raises
    ------
    ParameterError
        If a spec names another strategy, or its parameters are out of bounds.
    ExecutionError, LookaheadError
        As `run_backtest` does.
    """
    benchmarks: dict[Hashable, Simulation] = {}
    trials = []
    for spec in specs:
        if spec.strategy != strategy.key:
            raise ParameterError("strategy", spec.strategy, f"is not {strategy.key}, of which these trials are")
        parameters = parsed_parameters(strategy, dict(spec.parameters))
        key = (spec.start, spec.end, spec.execution, spec.benchmark)
        result = run_backtest(panel, spec, strategy, parameters, decided_on=decided_on, benchmark=benchmarks.get(key))
        benchmarks[key] = result.benchmark
        trials.append(_trial(spec, result))
    return trials


def _trial(spec: BacktestSpec, result: BacktestResult) -> Trial:
    return Trial(
        spec=spec,
        metrics=result.metrics,
        moments=result.moments,
        returns=session_returns(result.simulation.equity),
        lookahead=result.lookahead,
    )
