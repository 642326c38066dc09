"""What bad times did, or would do: named windows of real history, and shocks that the user makes up.

A window runs from the close of a market high to the close of the low after it, so that its return is that of the whole
fall. Only a window that the sessions cover from end to end is replayed: half of a crisis is another, milder one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from strategy.backtest.metrics import total_return
from strategy.backtest.metrics.drawdowns import drawdown_curve
from strategy.backtest.valuation import valuation_prices
from strategy.errors import StatisticError
from strategy.panel import DateArray, FloatArray, PricePanel

#: A gain beyond this, ten times the value, is a slip of the keyboard.
LARGEST_SHOCK = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of history; the closes of `start` and `end` are the first and the last value."""

    name: str
    title: str
    start: dt.date
    end: dt.date


def _window(name: str, title: str, start: str, end: str) -> Window:
    return Window(name=name, title=title, start=dt.date.fromisoformat(start), end=dt.date.fromisoformat(end))


#: Closing high to closing low of the S&P 500 price index (S&P Dow Jones Indices).
WINDOWS: tuple[Window, ...] = (
    _window("1987", "Black Monday", "1987-08-25", "1987-12-04"),
    _window("2000", "The end of the internet boom", "2000-03-24", "2002-10-09"),
    _window("2008", "The financial crisis", "2007-10-09", "2009-03-09"),
    _window("2011", "The downgrade of US debt and the euro crisis", "2011-04-29", "2011-10-03"),
    _window("2015", "China's devaluation and the fall of oil", "2015-05-21", "2016-02-11"),
    _window("2018", "Rising rates in the fourth quarter", "2018-09-20", "2018-12-24"),
    _window("2020", "The pandemic", "2020-02-19", "2020-03-23"),
    _window("2022", "Inflation and the rise of rates", "2022-01-03", "2022-10-12"),
    _window("2025", "The tariffs of April", "2025-02-19", "2025-04-08"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A curve through a window: its total return, and its deepest fall within the window (<= 0), as fractions."""

    total_return: float
    max_drawdown: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsReplay:
    """Holdings through a window, bought at its first close and never traded.

    `covered` is the share of their gross value with a price at that close; the rest is taken as unmoved.
    """

    replay: Replay
    covered: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shocked:
    """Change of equity as a fraction of it, in all and by ticker; a ticker that no shock names is left out."""

    total: float
    by_ticker: Mapping[str, float]


def window_rows(sessions: DateArray, window: Window) -> slice | None:
    """Rows from the close of the window's start to that of its end, None when the sessions do not cover it.

    A day without a session stands for the last one before it.
    """
    first, last = (int(np.searchsorted(sessions, np.datetime64(day), side="right")) - 1 for day in _days(window))
    is_covered = first >= 0 and sessions[-1] >= np.datetime64(window.end) and last > first
    return slice(first, last + 1) if is_covered else None


def replayed_curve(values: FloatArray) -> Replay:
    """Return and deepest fall of a curve, shape (n,), above zero."""
    return Replay(total_return=total_return(values), max_drawdown=float(drawdown_curve(values).min()))


def replayed_holdings(panel: PricePanel, weights: FloatArray, rows: slice) -> HoldingsReplay:
    """Take weights through the sessions of a window: dividends reinvested, cash unmoved, a missing price carried on.

    Parameters
    ----------
    panel : PricePanel
    weights : ndarray of shape (n_assets,)
        Share of equity, short below zero; the rest is cash.
    rows : slice
        Rows of the window.

    Returns
    -------
    HoldingsReplay
        Return and fall are -1 when all is lost on the way, as short holdings can; nothing is won back after that.
    """
    held = np.flatnonzero(weights)
    prices = _carried(panel.prices[rows][:, held])
    is_priced = np.isfinite(prices[0])
    growth = np.where(is_priced, prices / np.where(is_priced, prices[0], 1.0), 1.0)
    values = 1 + (growth - 1) @ weights[held]
    gross = float(np.abs(weights).sum())
    covered = float(np.abs(weights[held][is_priced]).sum()) / gross if gross > 0 else 1.0
    ruin = Replay(total_return=-1.0, max_drawdown=-1.0)
    return HoldingsReplay(replay=replayed_curve(values) if (values > 0).all() else ruin, covered=covered)


def closing_weights(panel: PricePanel, shares: FloatArray, equity: float) -> FloatArray:
    """Share of equity of each holding at the last close of the panel, shape (n_assets,)."""
    values = np.where(shares == 0, 0.0, shares * valuation_prices(panel)[-1])
    weights: FloatArray = values / equity
    return weights


def shocked_holdings(
    weights: FloatArray,
    tickers: Sequence[str],
    *,
    shocks: Mapping[str, float],
    classes: Mapping[str, str],
    class_shocks: Mapping[str, float],
) -> Shocked:
    """What made-up moves would do to the holdings at once.

    Parameters
    ----------
    weights : ndarray of shape (n_assets,)
        Share of equity, short below zero.
    tickers : sequence of str
        Of the weights.
    shocks : mapping of ticker to fraction
        Goes before the shock of the ticker's class. -0.3 is a fall of 30 %.
    classes : mapping of ticker to asset class
        A ticker without a class is moved by its own shock only.
    class_shocks : mapping of asset class to fraction

    Raises
    ------
    StatisticError
        If a shock is below -1 or above `LARGEST_SHOCK`, or names neither a ticker nor the class of one.
    """
    _check_shocks(shocks, known=set(tickers), kind="ticker")
    _check_shocks(class_shocks, known=set(classes.values()), kind="asset class")
    moves = {ticker: shocks.get(ticker, class_shocks.get(classes.get(ticker, ""))) for ticker in tickers}
    changes = {
        ticker: float(weight * move)
        for (ticker, move), weight in zip(moves.items(), weights, strict=True)
        if move is not None and weight != 0
    }
    return Shocked(total=float(sum(changes.values())), by_ticker=changes)


def _check_shocks(shocks: Mapping[str, float], *, known: set[str], kind: str) -> None:
    for name, shock in shocks.items():
        if name not in known:
            raise StatisticError("shock", name, f"is no {kind} of this universe; known are {_some(known)}")
        if not -1 <= shock <= LARGEST_SHOCK:
            raise StatisticError("shock", shock, f"of {name} must be between -1 and {LARGEST_SHOCK:g}; -0.3 is -30 %")


def _some(names: set[str]) -> str:
    shown = sorted(names)[:8]
    return ", ".join(shown) + (" ..." if len(names) > len(shown) else "") if shown else "none"


def _carried(prices: FloatArray) -> FloatArray:
    """Missing prices replaced by the last one before them within the window."""
    rows = np.where(np.isnan(prices), 0, np.arange(len(prices))[:, np.newaxis])
    carried: FloatArray = np.take_along_axis(prices, np.maximum.accumulate(rows, axis=0), axis=0)
    return carried


def _days(window: Window) -> tuple[dt.date, dt.date]:
    return window.start, window.end
