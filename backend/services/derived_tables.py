"""Tables that follow from a stored equity curve, computed when asked for: a run writes and keeps none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from strategy.backtest.metrics.drawdowns import drawdown_curve, worst_drawdowns
from strategy.backtest.metrics.periods import period_returns
from strategy.backtest.metrics.returns import session_returns
from strategy.backtest.metrics.rolling import WINDOWS, rolling_figures
from strategy.panel import DateArray, FloatArray

DerivedTable: TypeAlias = Literal["rolling", "monthly", "yearly", "drawdowns", "series"]
#: Documents of before the figure was stored were annualised by it.
_FORMER_PERIODS_PER_YEAR = 252


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Equity, cash and benchmark at the close of each session, shape (n,), and what annualises their figures."""

    sessions: DateArray
    equity: FloatArray
    cash: FloatArray
    benchmark: FloatArray
    periods_per_year: int
    cash_rate: float


def curves_of(document: Mapping[str, Any], equity: pa.Table) -> Curves:  # Any: JSON values
    """The curves of a stored backtest."""
    figures = {metric["key"]: metric["value"] for metric in document["metrics"]}
    # By way of lists: pyarrow's conversion to arrays imports pandas.
    return Curves(
        sessions=np.array(equity.column("session").to_pylist(), dtype="datetime64[D]"),
        **{name: np.array(equity.column(name).to_pylist()) for name in ("equity", "cash", "benchmark")},
        periods_per_year=int(figures.get("periods_per_year") or _FORMER_PERIODS_PER_YEAR),
        cash_rate=float(document["spec"]["execution"]["cash_rate"]),
    )


def derived_table(name: DerivedTable, curves: Curves) -> pa.Table:
    """One of the tables.

    - rolling: Sharpe ratio, volatility, beta and deepest fall of each window of `WINDOWS` sessions, by session;
    - monthly, yearly: returns of equity and benchmark by calendar period, which is named by its first day;
    - drawdowns: the ten deepest falls, with their sessions and lengths in sessions;
    - series: everything there is of each session.

    Fractions and ratios; null where a figure is undefined.
    """
    return {
        "rolling": rolling_table,
        "monthly": monthly_table,
        "yearly": yearly_table,
        "drawdowns": drawdowns_table,
        "series": series_table,
    }[name](curves)


def rolling_table(curves: Curves) -> pa.Table:
    """Figures of moving windows, by session."""
    columns: dict[str, pa.Array] = {"session": _dates(curves.sessions)}
    for window in WINDOWS:
        figures = rolling_figures(
            curves.equity,
            curves.benchmark,
            window=window,
            periods_per_year=curves.periods_per_year,
            risk_free_rate=curves.cash_rate,
        )
        columns |= {f"{name}_{window}": _numbers(values) for name, values in figures.items()}
    return pa.table(columns)


def monthly_table(curves: Curves) -> pa.Table:
    """Returns by calendar month."""
    return _periods(curves, "month")


def yearly_table(curves: Curves) -> pa.Table:
    """Returns by calendar year."""
    return _periods(curves, "year")


def drawdowns_table(curves: Curves) -> pa.Table:
    """The ten deepest falls, deepest first; a recovery that is still to come is null."""
    falls = worst_drawdowns(curves.equity)
    days = curves.sessions.tolist()
    last = len(days) - 1
    ends = [last if fall.recovery_row is None else fall.recovery_row for fall in falls]
    return pa.table(
        {
            "depth": pa.array([fall.depth for fall in falls], pa.float64()),
            "peak": pa.array([days[fall.peak_row] for fall in falls], pa.date32()),
            "trough": pa.array([days[fall.trough_row] for fall in falls], pa.date32()),
            "recovery": pa.array(
                [None if fall.recovery_row is None else days[fall.recovery_row] for fall in falls], pa.date32()
            ),
            "sessions_to_trough": pa.array([fall.trough_row - fall.peak_row for fall in falls], pa.int64()),
            "sessions": pa.array([end - fall.peak_row for fall, end in zip(falls, ends, strict=True)], pa.int64()),
        }
    )


def series_table(curves: Curves) -> pa.Table:
    """Every curve and moving figure, by session."""
    columns = {
        "session": _dates(curves.sessions),
        "equity": _numbers(curves.equity),
        "cash": _numbers(curves.cash),
        "benchmark": _numbers(curves.benchmark),
        "return": _numbers(_since_start(curves.equity)),
        "benchmark_return": _numbers(_since_start(curves.benchmark)),
        "drawdown": _numbers(drawdown_curve(curves.equity)),
        "benchmark_drawdown": _numbers(drawdown_curve(curves.benchmark)),
    }
    moving = rolling_table(curves)
    return pa.table(columns | {name: moving.column(name) for name in moving.column_names if name != "session"})


def metrics_table(document: Mapping[str, Any]) -> pa.Table:  # Any: JSON values
    """Every figure as a number with unit and definition; a date, which is none, stands in `text`."""
    metrics = document["metrics"]
    texts = [metric["value"] if isinstance(metric["value"], str) else None for metric in metrics]
    numbers = [None if isinstance(metric["value"], str) else metric["value"] for metric in metrics]
    return pa.table(
        {
            "key": [metric["key"] for metric in metrics],
            "value": pa.array(numbers, pa.float64()),
            "text": pa.array(texts, pa.string()),
            "unit": [metric["unit"] for metric in metrics],
            "definition": [metric["definition"] for metric in metrics],
        }
    )


def _periods(curves: Curves, unit: Literal["month", "year"]) -> pa.Table:
    periods, ours = period_returns(curves.equity, curves.sessions, unit)
    _, theirs = period_returns(curves.benchmark, curves.sessions, unit)
    return pa.table({unit: _dates(periods), "return": _numbers(ours), "benchmark": _numbers(theirs)})


def _since_start(values: FloatArray) -> FloatArray:
    """Session returns; the first session has none."""
    return np.concatenate(([np.nan], session_returns(values)))


def _dates(days: DateArray) -> pa.Array:
    return pa.array(days.astype("datetime64[D]").tolist(), pa.date32())


def _numbers(values: FloatArray) -> pa.Array:
    return pa.array([value if np.isfinite(value) else None for value in values.tolist()], pa.float64())
