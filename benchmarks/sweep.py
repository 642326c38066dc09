"""Sweeps: 1,000 portfolio trials over the cores, and 19,503 timing rules on one.

    .venv/bin/python benchmarks/sweep.py [--trials 1000]

100 seeded random walks x 2,520 sessions; 12-1 momentum with other spans, breadths and costs in each trial, weekly and
monthly, look-ahead proof and benchmark included. The same batches run in one process and in a pool of one process for
each core; both start with the panel in memory, as a worker that has taken its first batch. The speed-up over the
number of cores is the efficiency. Crossovers, which have their moving averages in common, run together and each on a
panel of its own, and must be equal to the bit. The timing rules are those of benchmarks/backtest.py, which has vectorbt
beside them.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
# Of two processes for two cores each has one: threads of a matrix product would take the other's.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

from benchmarks.backtest_work import panel_of, spec_of  # noqa: E402
from strategy.backtest.costs import CostModel  # noqa: E402
from strategy.backtest.spec import BacktestSpec  # noqa: E402
from strategy.backtest.timing import crossover_growth  # noqa: E402
from strategy.backtest.trials import run_trials  # noqa: E402
from strategy.library.momentum import MOMENTUM  # noqa: E402
from strategy.library.sma_crossover import SMA_CROSSOVER  # noqa: E402
from strategy.schedule import Rebalance  # noqa: E402
from support.panels import business_days  # noqa: E402

N_SESSIONS, N_ASSETS, BATCH = 2_520, 100, 20
LEAST_EFFICIENCY = 0.8


def random_closes() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Random walks, shape (n_sessions, n_assets)."""
    rng = np.random.default_rng(20_260_100)
    return 50.0 * np.exp(np.cumsum(rng.normal(2e-4, 0.02, size=(N_SESSIONS, N_ASSETS)), axis=0))


SESSIONS = business_days(N_SESSIONS, "2010-01-01")
PANEL = panel_of(random_closes(), SESSIONS)


def specs(n_trials: int) -> list[BacktestSpec]:
    """The first of a grid of 1,040 specs."""
    base = spec_of(SESSIONS)
    schedules: tuple[Rebalance, ...] = ("weekly", "monthly")
    grid = product(range(40, 300, 20), (0, 5, 10, 21), (5, 10, 15, 20, 30), (0.0, 10.0), schedules)
    return [
        replace(
            base,
            parameters={"lookback": lookback, "skip": skip, "top_n": top_n},
            costs=CostModel(bps=bps),
            execution=replace(base.execution, rebalance=rebalance),
        )
        for lookback, skip, top_n, bps, rebalance in grid
    ][:n_trials]


def best_of(batch: Sequence[BacktestSpec]) -> float:
    """The highest final return of a batch: what comes back from a process is small."""
    return max(float(np.prod(1 + trial.returns)) for trial in run_trials(PANEL, batch, MOMENTUM))


def ready(_: int) -> None:
    """Wait until every process of a pool is there."""
    time.sleep(0.2)


def swept(batches: Sequence[Sequence[BacktestSpec]], n_processes: int) -> tuple[float, list[float]]:
    """Seconds and results of all batches over a pool."""
    with ProcessPoolExecutor(n_processes, mp_context=get_context("fork")) as pool:
        list(pool.map(ready, range(n_processes)))
        begin = time.perf_counter()
        results = list(pool.map(best_of, batches))
        return time.perf_counter() - begin, results


def crossovers() -> tuple[float, float, bool]:
    """Seconds of 36 crossovers of every asset as trials together, those as trials alone, and whether they are equal."""
    base = replace(spec_of(SESSIONS), strategy="sma_crossover", strategy_version=SMA_CROSSOVER.version)
    base = replace(base, execution=replace(base.execution, rebalance="monthly"))
    pairs = product(range(10, 70, 10), range(100, 220, 20))
    todo = [replace(base, parameters={"fast": fast, "slow": slow}) for fast, slow in pairs]
    closes = random_closes()
    begin = time.perf_counter()
    together = run_trials(panel_of(closes, SESSIONS), todo, SMA_CROSSOVER)
    middle = time.perf_counter()
    alone = [run_trials(panel_of(closes, SESSIONS), [spec], SMA_CROSSOVER)[0] for spec in todo]
    are_equal = all(
        one.returns.tobytes() == other.returns.tobytes() for one, other in zip(together, alone, strict=True)
    )
    return middle - begin, time.perf_counter() - middle, are_equal


def timing_rules() -> tuple[float, int]:
    """Seconds and number of all pairs of moving averages on 5,040 sessions."""
    closes = 50.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(2e-4, 0.01, 5_040)))
    begin = time.perf_counter()
    pairs, _ = crossover_growth(
        closes[:-1], closes[1:], np.arange(2, 200), final_price=float(closes[-1]), cost_rate=0.001
    )
    return time.perf_counter() - begin, len(pairs)


def main() -> int:
    """Measure and print; exit 1 when the cores are used too badly, or results differ."""
    parser = argparse.ArgumentParser(description="Sweeps over the cores.")
    parser.add_argument("--trials", type=int, default=1_000, help="trials, 1,040 at most")
    todo = specs(parser.parse_args().trials)
    batches = [todo[first : first + BATCH] for first in range(0, len(todo), BATCH)]
    n_cores = len(os.sched_getaffinity(0))
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {n_cores} cores")
    (alone, expected), (together, found) = swept(batches, 1), swept(batches, n_cores)
    efficiency = alone / together / n_cores
    print(f"{len(todo):,} trials in batches of {BATCH}, {N_ASSETS} assets x {N_SESSIONS:,} sessions")
    print(f"one process   {alone:8.2f} s  {alone / len(todo) * 1e3:8.2f} ms a trial")
    print(f"{n_cores} processes   {together:8.2f} s  {together / len(todo) * 1e3:8.2f} ms a trial")
    print(f"efficiency    {efficiency:8.2f}    limit {LEAST_EFFICIENCY}")
    shared, each, are_equal = crossovers()
    print(f"36 crossovers of {N_ASSETS} assets, shared averages {shared:.2f} s, each for itself {each:.2f} s")
    seconds, n_pairs = timing_rules()
    print(f"{n_pairs:,} pairs of moving averages on 5,040 sessions: {seconds * 1e3:.0f} ms")
    return int(efficiency < LEAST_EFFICIENCY or found != expected or not are_equal)


if __name__ == "__main__":
    sys.exit(main())
