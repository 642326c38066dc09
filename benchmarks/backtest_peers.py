# ruff: noqa: PLC0415  each peer is imported only where it is measured
"""The work of benchmarks/backtest.py by vectorbt and bt, under their own Python.

    python benchmarks/backtest_peers.py NAME FOLDER

Imports nothing of ours but the count of memory. Both take orders at the close of the session after the decision, as
ours does with fill=next_close. Neither sets costs aside before it sizes an order, so they are given the weights net of
costs (`weights.npy`), and both trade fractional shares. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.memory import memory_bytes


def main() -> None:
    """Run one piece of work, warm where the peer compiles, and print seconds, peak memory and result."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    setup = json.loads((folder / "setup.json").read_text())
    index = pd.DatetimeIndex(np.load(folder / "sessions.npy").astype("datetime64[ns]"))
    close = pd.DataFrame(np.load(folder / "close.npy"), index=index).add_prefix("T")
    work, peer = {
        "vectorbt": (vectorbt_portfolio, "vectorbt"),
        "bt": (bt_portfolio, "bt"),
        "vectorbt, sma": (vectorbt_crossovers, "vectorbt"),
    }[name]
    prepared = work(close, folder, setup)
    before = memory_bytes("VmRSS")
    begin = time.perf_counter()
    result = prepared()
    seconds = time.perf_counter() - begin
    peak = memory_bytes("VmHWM") - before
    print(json.dumps({"seconds": seconds, "peak": peak, "version": version(peer), **result}))


def weights_at_fills(close: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """12-1 momentum on the sessions of the fills: the decision, a rank of pandas, is moved on by one session."""
    rows, invested = np.load(folder / "rows.npy"), np.load(folder / "weights.npy")
    strength = close.shift(21) / close.shift(252) - 1
    winners = strength.iloc[rows].rank(axis=1, ascending=False) <= 50  # noqa: PLR2004  the top 50
    weights: pd.DataFrame = winners.mul(invested / 50, axis=0).set_axis(close.index[rows + 1])
    return weights


def vectorbt_portfolio(close: pd.DataFrame, folder: Path, setup: dict[str, float]) -> Callable[[], dict[str, float]]:
    """Target percents of one group that shares its cash; compiled by a run of a small part."""
    import vectorbt as vbt

    def run(close: pd.DataFrame, weights: pd.DataFrame) -> dict[str, float]:
        portfolio = vbt.Portfolio.from_orders(
            close,
            size=weights.reindex(close.index),
            size_type="targetpercent",
            group_by=True,
            cash_sharing=True,
            call_seq="auto",
            fees=setup["bps"] / 10_000,
            fixed_fees=setup["flat"],
            init_cash=setup["initial_cash"],
            freq="1D",
        )
        equity = portfolio.value()
        figures = (portfolio.annualized_volatility(), portfolio.sharpe_ratio(), portfolio.max_drawdown())
        return {"equity": float(equity.iloc[-1]), "sharpe": float(figures[1])}

    small = close.iloc[:300, :60]
    run(small, weights_at_fills(close, folder).iloc[:2, :60])
    return lambda: run(close, weights_at_fills(close, folder))


def bt_portfolio(close: pd.DataFrame, folder: Path, setup: dict[str, float]) -> Callable[[], dict[str, float]]:
    """WeighTarget and Rebalance on the sessions of the fills."""
    import bt

    def run() -> dict[str, float]:
        weights = weights_at_fills(close, folder)
        backtest = bt.Backtest(
            bt.Strategy("momentum", [bt.algos.WeighTarget(weights), bt.algos.Rebalance()]),
            close,
            initial_capital=setup["initial_cash"],
            commissions=lambda quantity, price: setup["flat"] + setup["bps"] / 10_000 * abs(quantity) * price,
            integer_positions=False,
            progress_bar=False,
        )
        result = bt.run(backtest)
        return {
            "equity": float(backtest.strategy.values.iloc[-1]),  # noqa: PD011  bt's own
            "sharpe": float(result.stats.loc["daily_sharpe", "momentum"]),
        }

    return run


def vectorbt_crossovers(close: pd.DataFrame, _folder: Path, setup: dict[str, float]) -> Callable[[], dict[str, float]]:
    """All pairs of moving averages of the first asset, at the next close; compiled by a run of three windows."""
    import vectorbt as vbt

    asset = close.iloc[:, 0]

    def run(last_window: int) -> dict[str, float]:
        windows = np.arange(2, last_window + 1)
        fast, slow = vbt.MA.run_combs(asset, window=windows, r=2, short_names=["fast", "slow"])
        portfolio = vbt.Portfolio.from_signals(
            asset,
            fast.ma_above(slow),
            fast.ma_below(slow),
            price=asset.shift(-1),
            fees=setup["bps"] / 10_000,
            init_cash=setup["initial_cash"],
            freq="1D",
        )
        returns = portfolio.total_return()
        best = returns.idxmax()
        return {
            "n_pairs": len(returns),
            "fast": int(best[0]),
            "slow": int(best[1]),
            "total_return": float(returns.max()),
        }

    run(4)
    return lambda: run(int(setup["last_window"]))


if __name__ == "__main__":
    main()
