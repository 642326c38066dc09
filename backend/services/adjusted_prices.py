"""Prices adjusted when they are read, from the splits and dividends known by then.

1. The actions of the tickers, and of those that have any the closes, both as known at the moment asked for.
2. Backward factors of each session (`strategy.adjustments`): the newest close stands as traded.
3. The bars times their factors; volume in the shares of the newest session.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.actions import ActionRecord, actions
from backend.database.visible_bars import visible_bars
from backend.services.errors import RequestError
from strategy.adjustments import CorporateActions, backward_factors

Columns = Mapping[str, Sequence[Any]]  # Any: each column has its own type

#: The whole history of each is read, for the close before every dividend.
MOST_TICKERS = 20
_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """Of one ticker: its sessions, and what closes of each are multiplied by for dividends and for splits."""

    dates: NDArray[np.datetime64]
    dividends: NDArray[np.float64]
    splits: NDArray[np.float64]


async def factors_of(connection: AsyncConnection, tickers: Sequence[str], *, as_of: dt.datetime) -> dict[str, Factors]:
    """Factors of the tickers that have a split or dividend.

    Raises
    ------
    RequestError
        If there are more than MOST_TICKERS tickers.
    AdjustmentError
        If a dividend is as large as the price that it was paid from.
    """
    if len(tickers) > MOST_TICKERS:
        reason = f"adjusted prices are computed for at most {MOST_TICKERS} tickers at once; ask in parts"
        raise RequestError("tickers", f"{len(tickers)} names", reason)
    found: dict[str, list[ActionRecord]] = {}
    for action in await actions(connection, tickers, as_of=as_of):
        if action.kind in {"split", "dividend"}:
            found.setdefault(action.ticker, []).append(action)
    return {ticker: await _factors(connection, ticker, own, as_of) for ticker, own in found.items()}


def adjusted(
    columns: Columns, factors: Mapping[str, Factors], adjustment: Literal["split", "total"]
) -> dict[str, Sequence[Any]]:
    """Bars with their prices times the factors of their sessions; None stays None.

    Parameters
    ----------
    columns : mapping of str to sequence
        Bars with at least ticker, date, open, high, low, close and volume.
    factors : mapping of str to Factors
        A ticker without any stands as traded.
    adjustment : {"split", "total"}
        Total: for dividends as well, as if each was reinvested at the close before its ex-date.
    """
    prices, shares = np.ones(len(columns["date"])), np.ones(len(columns["date"]))
    tickers, dates = np.array(columns["ticker"], dtype=object), np.array(columns["date"], dtype="datetime64[D]")
    for ticker, known in factors.items():
        own = np.flatnonzero(tickers == ticker)
        rows = np.searchsorted(known.dates, dates[own])
        shares[own] = known.splits[rows]
        prices[own] = known.splits[rows] * (known.dividends[rows] if adjustment == "total" else 1.0)
    return {
        **columns,
        **{name: _times(columns[name], prices) for name in _PRICES},
        "volume": _times(columns["volume"], 1 / shares),
    }


async def _factors(
    connection: AsyncConnection, ticker: str, own: Sequence[ActionRecord], as_of: dt.datetime
) -> Factors:
    bars = visible_bars(as_of)
    query = select(bars.c.date, bars.c.close).where(bars.c.ticker == ticker).order_by(bars.c.date)
    rows = (await connection.execute(query)).all()
    dates = np.array([row.date for row in rows], dtype="datetime64[D]")
    close = np.array([row.close for row in rows], dtype=np.float64)[:, np.newaxis]
    dividends, splits = backward_factors(close, _on_sessions(own, dates))
    return Factors(dates=dates, dividends=dividends[:, 0], splits=splits[:, 0])


def _on_sessions(own: Sequence[ActionRecord], dates: NDArray[np.datetime64]) -> CorporateActions:
    """The actions on the first bar at or after their ex-date; those after the last bar have not happened yet."""
    told = [action for action in own if action.value is not None]
    days = np.array([action.ex_date for action in told], dtype="datetime64[D]")
    values = np.array([action.value for action in told], dtype=np.float64)
    is_split = np.array([action.kind == "split" for action in told], dtype=np.bool_)
    rows = np.searchsorted(dates, days)
    known = rows < dates.size
    return CorporateActions.joined(
        rows[known],
        np.zeros(int(known.sum()), dtype=np.intp),
        np.where(is_split, values, 1.0)[known],
        np.where(is_split, 0.0, values)[known],
    )


def _times(values: Sequence[float | None], factors: NDArray[np.float64]) -> list[float | None]:
    return [None if value is None else value * factor for value, factor in zip(values, factors.tolist(), strict=True)]
