"""Backtests: 12-1 momentum and moving-average crossovers, beside a bare numpy loop, vectorbt and bt.

    .venv/bin/python benchmarks/backtest.py [--without-peers]

Seeded random walks; decisions at the last close of a month fill at the next session's close, in fractional shares, at
10 bp and 3.0 flat an order. Every contender is a process of its own, one after the other, with the prices in memory
before the clock starts; the peers run warm in an environment of their own, once, ours and the floor several times, of
which the median counts. Memory is the peak above what the process had before the work.

vectorbt and bt do not set costs aside before they size an order: both are given the weights net of the costs that the
floor found, so that all four hold the same portfolio. The crossovers pay 10 bp and no flat part.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from benchmarks import backtest_floor  # noqa: E402
from support.panels import business_days  # noqa: E402
from support.tool_venv import run, tool_venv  # noqa: E402

BASE = (5_040, 500)
#: Growth of the work that is compared with the growth of the matrix.
LARGER = [(5_040, 1_000), (5_040, 2_000), (10_080, 500)]
LAST_WINDOW = 199
#: Ours may take at most this many floors, and the peers must take at least this many of ours.
MOST_FLOORS, LEAST_OF_PEERS = 2.0, {"vectorbt": 60.0, "bt": 200.0, "vectorbt, sma": 60.0}
MOST_MATRICES, LEAST_MEMORY_RATIO = 2.0, 30.0
PACKAGES = ("vectorbt", "bt", "numba", "pandas", "numpy")
PEERS = ("vectorbt", "bt", "vectorbt, sma")

Figures = dict[str, Any]  # Any: JSON values


class Limits:
    """Prints what was measured beside its limit, and remembers whether all are kept."""

    def __init__(self) -> None:
        self.are_kept = True

    def at_most(self, what: str, value: float, limit: float) -> None:
        """A figure that must not exceed its limit."""
        self._print(what, value, f"<= {limit:g}", is_kept=value <= limit)

    def at_least(self, what: str, value: float, limit: float) -> None:
        """A figure that must reach its limit."""
        self._print(what, value, f">= {limit:g}", is_kept=value >= limit)

    def _print(self, what: str, value: float, limit: str, *, is_kept: bool) -> None:
        self.are_kept &= is_kept
        print(f"{what:<58}{value:>12.3g}  {limit:<10}{'' if is_kept else 'MISSED'}")


def prepare(folder: Path, n_dates: int, n_assets: int) -> None:
    """Prices, sessions, and what the peers are told."""
    rng = np.random.default_rng(20_260_000 + n_assets)
    close = 50.0 * np.exp(np.cumsum(rng.normal(2e-4, 0.02, size=(n_dates, n_assets)), axis=0))
    sessions = business_days(n_dates, "1985-01-01")
    _, rows, invested = backtest_floor.equity_curve(close, sessions)
    for name, values in {"close": close, "sessions": sessions, "rows": rows, "weights": np.array(invested)}.items():
        np.save(folder / f"{name}.npy", values)
    setup = {
        "bps": backtest_floor.BPS,
        "flat": backtest_floor.FLAT,
        "initial_cash": backtest_floor.INITIAL_CASH,
        "last_window": LAST_WINDOW,
    }
    (folder / "setup.json").write_text(json.dumps(setup))


def measured(name: str, folder: Path) -> Figures:
    """The figures of one contender."""
    is_peer = name in PEERS
    python = tool_venv("peers") / "python" if is_peer else sys.executable
    program = ROOT / "benchmarks" / ("backtest_peers.py" if is_peer else "backtest_work.py")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(  # noqa: S603  our own fixed command
        [str(python), str(program), name, str(folder)], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name} failed: {done.stderr[-2000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    fastest = f"(fastest {figures['fastest'] * 1e3:9.1f})" if "fastest" in figures else " " * 19
    print(f"{name:<18}{figures['seconds'] * 1e3:>12.1f} ms {fastest}{figures['peak'] / 1e6:>10.1f} MB  ", end="")
    print({key: figures[key] for key in figures.keys() - {"seconds", "fastest", "peak", "version"}})
    return figures


def portfolio_table(folder: Path, limits: Limits, *, has_peers: bool) -> Figures:
    """One size, all contenders, equal results and ratios; ours is returned."""
    names = ("floor", "ours", "ours, whole run", *(("vectorbt", "bt") if has_peers else ()))
    found = {name: measured(name, folder) for name in names}
    floor, ours = found["floor"], found["ours"]
    print()
    limits.at_most("ours, floors", ours["seconds"] / floor["seconds"], MOST_FLOORS)
    limits.at_most("the same of the fastest rounds", ours["fastest"] / floor["fastest"], MOST_FLOORS)
    print(f"{'whole run with benchmark and look-ahead proof, floors':<58}", end="")
    print(f"{found['ours, whole run']['seconds'] / floor['seconds']:>12.3g}")
    limits.at_most("final equity, relative difference from the floor", difference(ours, floor), 1e-9)
    for name in names[3:]:
        limits.at_least(f"{name}, times ours", found[name]["seconds"] / ours["seconds"], LEAST_OF_PEERS[name])
        limits.at_most(f"final equity, relative difference from {name}", difference(ours, found[name]), 1e-3)
    return ours


def difference(figures: Figures, other: Figures) -> float:
    """Relative difference of two final equities."""
    return abs(float(figures["equity"]) / float(other["equity"]) - 1)


def growth_table(base: Figures, limits: Limits) -> None:
    """Larger work: time and memory beside the matrix."""
    for n_dates, n_assets in LARGER:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            prepare(folder, n_dates, n_assets)
            print(f"\n{n_dates:,} sessions x {n_assets:,} assets")
            floor, ours, whole = (measured(key, folder) for key in ("floor", "ours", "ours, whole run"))
        matrix = n_dates * n_assets
        growth = matrix / (BASE[0] * BASE[1])
        limits.at_most("time, in that of 5,040 x 500", ours["seconds"] / base["seconds"], growth)
        limits.at_most("final equity, relative difference from the floor", difference(ours, floor), 1e-9)
        limits.at_most("extra memory, matrices", ours["peak"] / (8 * matrix), MOST_MATRICES)
        limits.at_most("extra memory of the whole run, matrices", whole["peak"] / (8 * matrix), MOST_MATRICES)


def crossover_table(folder: Path, limits: Limits, *, has_peers: bool) -> None:
    """All pairs of moving averages on one asset."""
    print(f"\n19,503 pairs of moving averages, windows 2 to {LAST_WINDOW}, on {BASE[0]:,} sessions")
    ours = measured("ours, sma", folder)
    if not has_peers:
        return
    peer = measured("vectorbt, sma", folder)
    limits.at_least("vectorbt, times ours", peer["seconds"] / ours["seconds"], LEAST_OF_PEERS["vectorbt, sma"])
    limits.at_least("its peak memory, times ours", peer["peak"] / max(ours["peak"], 1), LEAST_MEMORY_RATIO)
    pairs = [(found["n_pairs"], found["fast"], found["slow"]) for found in (ours, peer)]
    limits.at_most("best pairs that differ", float(pairs[0] != pairs[1]), 0)
    limits.at_most("difference of the best return", abs(ours["total_return"] - peer["total_return"]), 1e-9)


def main() -> int:
    """Measure and print; exit 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description="Backtests, beside a bare numpy loop, vectorbt and bt.")
    parser.add_argument("--without-peers", action="store_true", help="measure ours and the floor only")
    has_peers = not parser.parse_args().without_peers
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {os.cpu_count()} cores")
    if has_peers:
        names = "from importlib.metadata import version as v; print(*(f'{n} {v(n)}' for n in " + repr(PACKAGES) + "))"
        print(run(tool_venv("peers") / "python", "-c", names).strip())
    limits = Limits()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, *BASE)
        print(f"\n{BASE[0]:,} sessions x {BASE[1]:,} assets, 12-1 momentum, monthly, top 50")
        base = portfolio_table(folder, limits, has_peers=has_peers)
        crossover_table(folder, limits, has_peers=has_peers)
    growth_table(base, limits)
    return int(not limits.are_kept)


if __name__ == "__main__":
    sys.exit(main())
