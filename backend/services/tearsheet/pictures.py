"""Which plots a sheet has, each with what it says to who hears the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from backend.services.derived_tables import Curves, rolling_table, yearly_table
from backend.services.tearsheet.numbers import amount, axis_percent, axis_ratio, compact, percent, ratio
from backend.services.tearsheet.plots import NARROW, WIDE, Frame, Line, bar_plot, line_plot
from strategy.backtest.metrics.drawdowns import drawdown_curve
from strategy.backtest.metrics.rolling import WINDOWS

_Values = Sequence[float | None]
#: Moving figure to its title, and to the text of its values and of those beside its axis.
_MOVING: dict[str, tuple[str, Callable[[float | None], str], Callable[[float], str]]] = {
    "sharpe": ("Sharpe ratio", ratio, axis_ratio),
    "volatility": ("Volatility", percent, axis_percent),
    "beta": ("Beta", ratio, axis_ratio),
}


def pictures(curves: Curves, benchmark: str) -> dict[str, Markup]:
    """Every plot by name; `benchmark` is what people call it."""
    window = moving_window(curves)
    moving = rolling_table(curves).to_pydict()
    return {
        "equity": _equity(curves, benchmark),
        "drawdown": _drawdown(curves),
        "years": _years(curves, benchmark),
    } | {name: _moving(name, curves, moving[f"{name}_{window}"], window) for name in _MOVING}


def moving_window(curves: Curves) -> int:
    """The longest window that the curves fill, sessions."""
    return max((window for window in WINDOWS if window < curves.sessions.size), default=WINDOWS[0])


def _equity(curves: Curves, benchmark: str) -> Markup:
    days = curves.sessions.tolist()
    ours, theirs = curves.equity.tolist(), curves.benchmark.tolist()
    desc = (
        f"Strategy from {amount(ours[0])} on {days[0]} to {amount(ours[-1])} on {days[-1]}; "
        f"{benchmark} to {amount(theirs[-1])}. The axis is logarithmic."
    )
    frame = Frame(key="equity", title="Equity", desc=desc, width=WIDE, height=320, written=compact)
    lines = [Line(colour="benchmark", values=theirs), Line(colour="accent", values=ours)]
    return line_plot(frame, days, lines, is_log=True)


def _drawdown(curves: Curves) -> Markup:
    ours, theirs = (drawdown_curve(values).tolist() for values in (curves.equity, curves.benchmark))
    desc = f"Fall from the previous high: at most {percent(min(ours))}, of the benchmark {percent(min(theirs))}."
    frame = Frame(key="drawdown", title="Drawdown", desc=desc, width=WIDE, written=axis_percent)
    lines = [Line(colour="benchmark", values=theirs), Line(colour="loss", values=ours, is_area=True)]
    return line_plot(frame, curves.sessions.tolist(), lines)


def _moving(name: str, curves: Curves, values: _Values, window: int) -> Markup:
    title, written, marked = _MOVING[name]
    known = [value for value in values if value is not None]
    desc = f"Of the last {window} sessions: " + (
        f"from {written(min(known))} to {written(max(known))}, at the end {written(values[-1])}."
        if known
        else "undefined for this result."
    )
    frame = Frame(key=name, title=title, desc=desc, width=NARROW, written=marked)
    return line_plot(frame, curves.sessions.tolist(), [Line(colour="accent", values=values)])


def _years(curves: Curves, benchmark: str) -> Markup:
    rows = yearly_table(curves).to_pylist()
    bars = [(f"{row['year'].year}", row["return"] or 0.0, row["benchmark"]) for row in rows]
    desc = f"Bars are the strategy, the tick on each is {benchmark}. The table of months has the same figures."
    frame = Frame(key="years", title="Returns by year", desc=desc, width=NARROW, written=axis_percent)
    return bar_plot(frame, bars)
