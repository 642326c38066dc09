"""Our work of benchmarks/backtest.py in a process of its own.

    python benchmarks/backtest_work.py NAME FOLDER

The panel is in memory before the first round, and the first round is not counted. Memory is the peak of all rounds
above that, so that what a run keeps from one to the next would show. Prints one line of JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import backtest_floor
from benchmarks.memory import memory_bytes
from strategy.adjustments import CorporateActions
from strategy.backtest.costs import CostModel
from strategy.backtest.engine import simulate
from strategy.backtest.report import simulation_metrics
from strategy.backtest.run import run_backtest
from strategy.backtest.simulation import Decisions
from strategy.backtest.spec import BacktestSpec, Execution
from strategy.backtest.timing import crossover_growth
from strategy.calendar import decision_rows, periods_per_year
from strategy.library.momentum import MOMENTUM, MomentumParameters
from strategy.panel import PricePanel

ROUNDS = 7
Work = Callable[[], dict[str, Any]]  # Any: JSON values


def main() -> None:
    """Run the rounds, and print the median of their seconds, peak memory and result."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    close, sessions = np.load(folder / "close.npy"), np.load(folder / "sessions.npy")
    work = WORK[name](close, sessions, json.loads((folder / "setup.json").read_text()))
    before, seconds = memory_bytes("VmRSS"), []
    for _ in range(ROUNDS + 1):
        begin = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - begin)
    peak = memory_bytes("VmHWM") - before
    figures = {"seconds": statistics.median(seconds[1:]), "fastest": min(seconds[1:]), "peak": peak}
    print(json.dumps({**figures, "version": version("numpy"), **result}))


def floor(close: NDArray[np.float64], sessions: NDArray[np.datetime64], _: dict[str, float]) -> Work:
    """The bare loop and its handful of figures."""

    def run() -> dict[str, Any]:
        equity, _, _ = backtest_floor.equity_curve(close, sessions)
        figures = backtest_floor.metrics(equity)
        return {"equity": figures["final_equity"], "sharpe": figures["sharpe"]}

    return run


def engine(close: NDArray[np.float64], sessions: NDArray[np.datetime64], _: dict[str, float]) -> Work:
    """Signal, decisions, engine and every metric, of the strategy alone."""
    spec = spec_of(sessions)
    last = sessions.size - 1

    def run() -> dict[str, Any]:
        panel = panel_of(close, sessions)
        rows = decision_rows(sessions, "monthly")
        weights = MOMENTUM.target_weights(panel, rows, MomentumParameters())
        decisions = Decisions(rows=rows, weights=weights)
        simulation = simulate(
            panel, decisions, costs=spec.costs, execution=spec.execution, first_row=int(rows[0]), last_row=last
        )
        metrics = simulation_metrics(
            simulation,
            simulation,
            sessions[simulation.rows],
            cash_rate=0.0,
            periods_per_year=periods_per_year(sessions),
        )
        return {"equity": float(simulation.equity[-1]), "sharpe": {m.key: m.value for m in metrics}["sharpe"]}

    return run


def whole(close: NDArray[np.float64], sessions: NDArray[np.datetime64], _: dict[str, float]) -> Work:
    """What a spec gives: the same, a benchmark beside it, and the look-ahead proof."""

    def run() -> dict[str, Any]:
        result = run_backtest(panel_of(close, sessions), spec_of(sessions), MOMENTUM, MomentumParameters())
        figures = {metric.key: metric.value for metric in result.metrics}
        return {"equity": float(result.simulation.equity[-1]), "sharpe": figures["sharpe"]}

    return run


def crossovers(close: NDArray[np.float64], _: NDArray[np.datetime64], setup: dict[str, float]) -> Work:
    """All pairs of moving averages of the first asset, filled at the next close."""
    asset = np.ascontiguousarray(close[:, 0])
    windows = np.arange(2, int(setup["last_window"]) + 1)

    def run() -> dict[str, Any]:
        pairs, found = crossover_growth(
            asset[:-1], asset[1:], windows, final_price=float(asset[-1]), cost_rate=setup["bps"] / 10_000
        )
        best = int(np.argmax(found.growth))
        fast, slow = pairs[best].tolist()
        return {"n_pairs": len(pairs), "fast": fast, "slow": slow, "total_return": float(found.growth[best] - 1)}

    return run


WORK: dict[str, Callable[[NDArray[np.float64], NDArray[np.datetime64], dict[str, float]], Work]] = {
    "floor": floor,
    "ours": engine,
    "ours, whole run": whole,
    "ours, sma": crossovers,
}


def panel_of(close: NDArray[np.float64], sessions: NDArray[np.datetime64]) -> PricePanel:
    """A panel that has computed nothing yet, its values checked as those of a snapshot are."""
    return PricePanel(
        sessions=sessions,
        tickers=tuple(f"T{number:05d}" for number in range(close.shape[1])),
        fields={"open": close, "close": close},
        actions=CorporateActions.none(),
        member=np.broadcast_to(np.True_, close.shape),
        has_checked_values=True,
    )


def spec_of(sessions: NDArray[np.datetime64]) -> BacktestSpec:
    """12-1 momentum, monthly, top 50, 10 bp and 3.0 flat an order, filled at the next close."""
    return BacktestSpec(
        strategy="momentum",
        strategy_version=MOMENTUM.version,
        parameters={},
        universe="BENCHMARK",
        start=sessions[0].item(),
        end=sessions[-1].item(),
        base_currency="USD",
        costs=CostModel(bps=backtest_floor.BPS, flat=backtest_floor.FLAT),
        execution=Execution(rebalance="monthly", fill="next_close", initial_cash=backtest_floor.INITIAL_CASH),
        benchmark=None,
        snapshot="0" * 64,
    )


if __name__ == "__main__":
    main()
