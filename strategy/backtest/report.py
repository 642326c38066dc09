"""The figures of a simulation with their definitions, in the order in which people read them."""

from __future__ import annotations

import math

import numpy as np

from strategy.backtest.metrics import (
    Metric,
    Unit,
    cagr,
    max_drawdown,
    session_returns,
    sharpe_ratio,
    sortino_ratio,
    total_return,
    volatility,
)
from strategy.backtest.simulation import Simulation
from strategy.panel import DateArray

PERIODS_PER_YEAR = 252

#: Key to (unit, definition). Every figure is of session returns of the equity curve, after costs.
DEFINITIONS: dict[str, tuple[Unit, str]] = {
    "final_equity": ("currency", "Cash and holdings at the last close."),
    "total_return": ("fraction", "Final over initial equity, minus 1."),
    "cagr": ("fraction", "Compound annual growth: (final / initial) ** (365.25 / calendar days) - 1."),
    "volatility": ("fraction", "Sample standard deviation of session returns, times the root of 252."),
    "sharpe": ("ratio", "Mean over standard deviation of session returns above the cash rate, times the root of 252."),
    "sortino": ("ratio", "Mean session return over its downside deviation about zero, times the root of 252."),
    "max_drawdown": ("fraction", "Deepest fall of equity from a previous high."),
    "drawdown_peak": ("date", "Session of the high before the deepest fall."),
    "drawdown_trough": ("date", "Session of its low."),
    "calmar": ("ratio", "CAGR over the size of the deepest fall."),
    "exposure": ("fraction", "Mean share of equity that is invested at the close."),
    "turnover": ("fraction", "Half of the traded value a year, over mean equity."),
    "cost_drag": ("fraction", "Costs a year, over mean equity."),
    "n_orders": ("count", "Fills, sales of delisted holdings included."),
    "best_session": ("fraction", "Highest session return."),
    "worst_session": ("fraction", "Lowest session return."),
    "benchmark_return": ("fraction", "Total return of the benchmark over the same sessions, without costs."),
    "benchmark_cagr": ("fraction", "Compound annual growth of the benchmark."),
    "benchmark_max_drawdown": ("fraction", "Deepest fall of the benchmark from a previous high."),
    "excess_cagr": ("fraction", "CAGR less that of the benchmark."),
}


def simulation_metrics(
    simulation: Simulation, benchmark: Simulation, sessions: DateArray, *, cash_rate: float
) -> tuple[Metric, ...]:
    """Every figure of `DEFINITIONS`, in that order.

    Parameters
    ----------
    simulation, benchmark : Simulation
        Over the same sessions.
    sessions : ndarray of shape (n,), datetime64[D]
        The sessions of the simulation.
    cash_rate : float
        Risk-free rate of the Sharpe ratio, fraction a year.
    """
    values = _performance(simulation, sessions, cash_rate) | _trading(simulation)
    growth, reference = cagr(simulation.equity, sessions), cagr(benchmark.equity, sessions)
    values |= {
        "benchmark_return": total_return(benchmark.equity),
        "benchmark_cagr": reference,
        "benchmark_max_drawdown": max_drawdown(benchmark.equity).depth,
        "excess_cagr": growth - reference,
    }
    return tuple(
        Metric(key=key, value=_defined(values[key]), unit=unit, definition=definition)
        for key, (unit, definition) in DEFINITIONS.items()
    )


def _performance(simulation: Simulation, sessions: DateArray, cash_rate: float) -> dict[str, float | str]:
    equity = simulation.equity
    returns = session_returns(equity)
    growth, drawdown = cagr(equity, sessions), max_drawdown(equity)
    return {
        "final_equity": float(equity[-1]),
        "total_return": total_return(equity),
        "cagr": growth,
        "volatility": volatility(returns, periods_per_year=PERIODS_PER_YEAR),
        "sharpe": sharpe_ratio(returns, periods_per_year=PERIODS_PER_YEAR, risk_free_rate=cash_rate),
        "sortino": sortino_ratio(returns, periods_per_year=PERIODS_PER_YEAR),
        "max_drawdown": drawdown.depth,
        "drawdown_peak": str(sessions[drawdown.peak_row]),
        "drawdown_trough": str(sessions[drawdown.trough_row]),
        "calmar": growth / -drawdown.depth if drawdown.depth < 0 else math.nan,
        "best_session": float(returns.max()),
        "worst_session": float(returns.min()),
    }


def _trading(simulation: Simulation) -> dict[str, float | str]:
    years = (simulation.equity.size - 1) / PERIODS_PER_YEAR
    mean_equity = float(simulation.equity.mean())
    return {
        "exposure": float(np.mean(1 - simulation.cash / simulation.equity)),
        "turnover": float(simulation.orders.values.sum()) / 2 / years / mean_equity,
        "cost_drag": simulation.costs / years / mean_equity,
        "n_orders": float(simulation.orders.columns.size),
    }


def _defined(value: float | str) -> float | str | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
