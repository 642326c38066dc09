"""The figures of a simulation with their definitions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from strategy.backtest.definitions import DEFINITIONS
from strategy.backtest.metrics.drawdowns import Drawdown, longest_drawdown, max_drawdown, ulcer_index
from strategy.backtest.metrics.periods import period_returns
from strategy.backtest.metrics.relative import (
    beta,
    correlation,
    down_capture,
    information_ratio,
    jensen_alpha,
    tracking_error,
    up_capture,
)
from strategy.backtest.metrics.returns import (
    cagr,
    downside_deviation,
    return_moments,
    session_returns,
    sharpe_ratio,
    sortino_ratio,
    total_return,
    volatility,
)
from strategy.backtest.metrics.tails import (
    average_loss,
    average_win,
    expected_shortfall,
    hit_rate,
    payoff_ratio,
    value_at_risk,
)
from strategy.backtest.metrics.trading import cost_drag, mean_exposure, mean_gross_exposure, short_values, turnover
from strategy.backtest.metrics.units import Metric
from strategy.backtest.simulation import Simulation
from strategy.panel import DateArray, FloatArray

MONTHS_PER_YEAR = 12
#: Of value at risk and expected shortfall.
LEVEL = 0.95

_Values: TypeAlias = dict[str, "float | str | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """An equity curve and what several figures need of it."""

    equity: FloatArray
    sessions: DateArray
    cash_rate: float
    periods_per_year: int
    returns: FloatArray
    months: FloatArray

    @property
    def growth(self) -> float:
        return cagr(self.equity, self.sessions)

    @property
    def volatility(self) -> float:
        return volatility(self.returns, periods_per_year=self.periods_per_year)

    @property
    def sharpe(self) -> float:
        return sharpe_ratio(self.returns, periods_per_year=self.periods_per_year, risk_free_rate=self.cash_rate)


def simulation_metrics(
    simulation: Simulation,
    benchmark: Simulation,
    sessions: DateArray,
    *,
    cash_rate: float,
    periods_per_year: int,
    prices: FloatArray | None = None,
) -> tuple[Metric, ...]:
    """Every figure of `DEFINITIONS`, in that order.

    Parameters
    ----------
    simulation, benchmark : Simulation
        Over the same sessions.
    sessions : ndarray of shape (n,), datetime64[D]
        The sessions of the simulation.
    cash_rate : float
        Risk-free rate of the Sharpe ratios and of alpha, fraction a year.
    periods_per_year : int
        Sessions in a year of the universe (`strategy.calendar.periods_per_year`).
    prices : ndarray of shape (n_dates, n_assets), or None
        What a share counts at each close of the panel; None: nothing was sold short.
    """
    ours, theirs = (
        _Curve(
            equity=equity,
            sessions=sessions,
            cash_rate=cash_rate,
            periods_per_year=periods_per_year,
            returns=session_returns(equity),
            months=period_returns(equity, sessions, "month")[1],
        )
        for equity in (simulation.equity, benchmark.equity)
    )
    values = (
        _performance(ours)
        | _distribution(ours)
        | _trading(simulation, prices, periods_per_year)
        | _benchmark(ours, theirs)
        | _relative(ours, theirs)
        | {"periods_per_year": float(periods_per_year)}
    )
    return tuple(
        Metric(key=key, value=_defined(values[key]), unit=unit, definition=definition)
        for key, (unit, definition) in DEFINITIONS.items()
    )


def _performance(curve: _Curve) -> _Values:
    fall, growth = max_drawdown(curve.equity), curve.growth
    return {
        "final_equity": float(curve.equity[-1]),
        "total_return": total_return(curve.equity),
        "cagr": growth,
        "volatility": curve.volatility,
        "sharpe": curve.sharpe,
        "sortino": sortino_ratio(curve.returns, periods_per_year=curve.periods_per_year),
        "downside_deviation": downside_deviation(curve.returns, periods_per_year=curve.periods_per_year),
        "max_drawdown": fall.depth,
        "drawdown_peak": _session(curve, fall, fall.peak_row),
        "drawdown_trough": _session(curve, fall, fall.trough_row),
        "drawdown_recovery": _session(curve, fall, fall.recovery_row),
        "longest_drawdown": float(longest_drawdown(curve.equity)),
        "calmar": growth / -fall.depth if fall.depth < 0 else math.nan,
        "ulcer_index": ulcer_index(curve.equity),
    }


def _session(curve: _Curve, fall: Drawdown, row: int | None) -> str | None:
    return None if row is None or fall.depth == 0 else str(curve.sessions[row])


def _distribution(curve: _Curve) -> _Values:
    returns, months, moments = curve.returns, curve.months, return_moments(curve.returns)
    return {
        "value_at_risk_95": value_at_risk(returns, level=LEVEL),
        "expected_shortfall_95": expected_shortfall(returns, level=LEVEL),
        "skewness": moments.skewness,
        "kurtosis": moments.kurtosis,
        "best_session": float(returns.max()),
        "worst_session": float(returns.min()),
        "best_month": float(months.max()),
        "worst_month": float(months.min()),
        "hit_rate": hit_rate(returns),
        "hit_rate_months": hit_rate(months),
        "average_win": average_win(returns),
        "average_loss": average_loss(returns),
        "payoff": payoff_ratio(returns),
    }


def _trading(simulation: Simulation, prices: FloatArray | None, periods_per_year: int) -> _Values:
    equity, orders = simulation.equity, simulation.orders
    shorts = np.zeros(equity.size)
    if prices is not None:
        shorts = short_values(simulation.rows, simulation.event_rows, simulation.event_shares, prices)
    costs = simulation.costs + simulation.borrow_costs
    return {
        "exposure": mean_exposure(equity, simulation.cash),
        "gross_exposure": mean_gross_exposure(equity, simulation.cash, shorts),
        "turnover": turnover(orders.values, equity, periods_per_year=periods_per_year),
        "cost_drag": cost_drag(costs, equity, periods_per_year=periods_per_year),
        "n_orders": float(orders.columns.size),
        "unfilled_value": simulation.unfilled_value,
        "n_unfilled": float(simulation.n_unfilled),
    }


def _benchmark(ours: _Curve, theirs: _Curve) -> _Values:
    growth = theirs.growth
    return {
        "benchmark_return": total_return(theirs.equity),
        "benchmark_cagr": growth,
        "benchmark_volatility": theirs.volatility,
        "benchmark_sharpe": theirs.sharpe,
        "benchmark_max_drawdown": max_drawdown(theirs.equity).depth,
        "excess_cagr": ours.growth - growth,
    }


def _relative(ours: _Curve, theirs: _Curve) -> _Values:
    returns, market, per_year = ours.returns, theirs.returns, ours.periods_per_year
    rate = ours.cash_rate
    return {
        "beta": beta(returns, market),
        "alpha": jensen_alpha(returns, market, periods_per_year=per_year, risk_free_rate=rate),
        "correlation": correlation(returns, market),
        "tracking_error": tracking_error(returns, market, periods_per_year=per_year),
        "information_ratio": information_ratio(returns, market, periods_per_year=per_year),
        "up_capture": up_capture(ours.months, theirs.months, periods_per_year=MONTHS_PER_YEAR),
        "down_capture": down_capture(ours.months, theirs.months, periods_per_year=MONTHS_PER_YEAR),
    }


def _defined(value: float | str | None) -> float | str | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
