"""One backtest from panel and spec to result.

1. Rows on which to decide: the first session of the span, then every period end of the schedule.
2. Target weights of those rows from the strategy, checked.
3. Proof that they do not see the future: some are recomputed with it scrambled.
4. Their projection on the constraints of the spec, if it has any: row by row, from decisions up to it alone.
5. Simulation in shares and cash, of the strategy and of the benchmark.
6. Metrics, and the moments of the session returns for the trial ledger.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np

from strategy.allocation.constraints import constrained_weights
from strategy.backtest.cost_presets import PRESETS
from strategy.backtest.engine import simulate
from strategy.backtest.metrics import Metric, ReturnMoments, return_moments, session_returns
from strategy.backtest.report import simulation_metrics
from strategy.backtest.simulation import Decisions, Simulation
from strategy.backtest.spec import BacktestSpec, Execution
from strategy.backtest.valuation import valuation_prices
from strategy.calendar import decision_rows, periods_per_year
from strategy.errors import ExecutionError, ParameterError
from strategy.library.contract import Parameters, Strategy
from strategy.panel import BoolArray, FloatArray, IntArray, PricePanel
from strategy.validation.lookahead import LookaheadProof, lookahead_proof

#: Decisions recomputed with a scrambled future on every run.
LOOKAHEAD_SAMPLES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestResult:
    """What a spec computes; a pure function of the spec and the panel."""

    decisions: Decisions
    simulation: Simulation
    benchmark: Simulation
    metrics: tuple[Metric, ...]
    lookahead: LookaheadProof
    moments: ReturnMoments


def run_backtest(
    panel: PricePanel,
    spec: BacktestSpec,
    strategy: Strategy[Any],
    parameters: Parameters,
    *,
    benchmark: Simulation | None = None,
    decided_on: PricePanel | None = None,
) -> BacktestResult:
    """Run a spec on its panel.

    Parameters
    ----------
    panel : PricePanel
        Every session of the snapshot up to `spec.end`; those before `spec.start` are history for the first decisions.
    spec, strategy, parameters
        The spec, and the strategy and parsed parameters that it names.
    benchmark : Simulation or None
        That of an earlier result with the same panel, span, execution and benchmark; None: simulated here.

    decided_on : PricePanel or None
        What the strategy sees, of the same sessions and tickers: in another currency, with the rates of the day before.
        None: `panel`.

    Raises
    ------
    ExecutionError
        If the span holds fewer than two sessions, the benchmark cannot be held, or the panel is in another currency.
    InfeasibleConstraintsError
        If no weights keep the constraints on a session.
    LookaheadError
        If a decision changes when only the future is changed.
    """
    if (panel.conversion is None) != (spec.fx_snapshot is None):
        raise ExecutionError("base_currency", spec.base_currency, "is not that of the panel; take `panels_of` the spec")
    first, last = _span(panel, spec.start, spec.end)
    rows = first + decision_rows(panel.sessions[first : last + 1], spec.execution.rebalance or strategy.rebalance)
    seen = panel if decided_on is None else decided_on
    weights = strategy.target_weights(seen, rows, parameters)
    _check_shape(strategy.key, weights, panel, rows)
    decisions = Decisions(rows=rows, weights=weights, allow_short=spec.execution.allow_short)
    proof = lookahead_proof(
        strategy,
        parameters,
        seen,
        decisions=decisions,
        # Seeded by the spec, so that the same spec samples the same sessions.
        generator=np.random.default_rng(int(spec.backtest_id[:16], 16)),
        n_samples=LOOKAHEAD_SAMPLES,
    )
    if spec.constraints is not None:
        kept = constrained_weights(seen, rows, weights, spec.constraints)
        decisions = Decisions(rows=rows, weights=kept, allow_short=spec.execution.allow_short)
    simulation = simulated(panel, decisions, spec, last)
    benchmark = benchmark or _benchmark(panel, spec, first, last)
    return BacktestResult(
        decisions=decisions,
        simulation=simulation,
        benchmark=benchmark,
        metrics=_metrics(panel, spec, simulation, benchmark),
        lookahead=proof,
        moments=return_moments(session_returns(simulation.equity)),
    )


def _metrics(
    panel: PricePanel, spec: BacktestSpec, simulation: Simulation, benchmark: Simulation
) -> tuple[Metric, ...]:
    return simulation_metrics(
        simulation,
        benchmark,
        panel.sessions[simulation.rows],
        cash_rate=spec.execution.cash_rate,
        periods_per_year=periods_per_year(panel.sessions[: int(simulation.rows[-1]) + 1]),
        prices=valuation_prices(panel),
    )


def _span(panel: PricePanel, start: dt.date, end: dt.date) -> tuple[int, int]:
    first = int(np.searchsorted(panel.sessions, np.datetime64(start, "D"), side="left"))
    last = int(np.searchsorted(panel.sessions, np.datetime64(end, "D"), side="right")) - 1
    if last - first < 1:
        raise ExecutionError("end", end.isoformat(), f"needs at least two sessions from {start.isoformat()}")
    return first, last


def _check_shape(key: str, weights: FloatArray, panel: PricePanel, rows: IntArray) -> None:
    if weights.shape != (rows.size, panel.n_assets):
        raise ParameterError("strategy", key, f"gave weights of shape {weights.shape}")


def simulated(panel: PricePanel, decisions: Decisions, spec: BacktestSpec, last: int) -> Simulation:
    """The portfolio of decisions under the costs and the execution of a spec, up to the panel row `last`."""
    first = int(decisions.rows[0])
    return simulate(panel, decisions, costs=spec.costs, execution=spec.execution, first_row=first, last_row=last)


def _benchmark(panel: PricePanel, spec: BacktestSpec, first: int, last: int) -> Simulation:
    """A ticker, or equal parts of the universe, bought at the first fill, held, at no cost."""
    held = _held_from(panel, spec.benchmark, first)
    weights = (held / held.sum())[np.newaxis, :]
    execution = Execution(
        fill=spec.execution.fill,
        rebalance="once",
        dividends=spec.execution.dividends,
        initial_cash=spec.execution.initial_cash,
        delist_after=spec.execution.delist_after,
        delisting_return=spec.execution.delisting_return,
    )
    decisions = Decisions(rows=np.array([first], dtype=np.intp), weights=weights)
    return simulate(panel, decisions, costs=PRESETS["zero"], execution=execution, first_row=first, last_row=last)


def _held_from(panel: PricePanel, ticker: str | None, first: int) -> BoolArray:
    held: BoolArray = panel.active_on(first)
    if ticker is not None:
        if ticker not in panel.tickers:
            raise ExecutionError("benchmark", ticker, "is not in the universe; name one of its tickers")
        held[:] = False
        held[panel.columns_of([ticker])] = np.isfinite(panel.close_prices[first, panel.columns_of([ticker])])
    if not held.any():
        session = str(panel.sessions[first])
        raise ExecutionError("benchmark", ticker, f"has no price on {session}; start later, or name another")
    return held
