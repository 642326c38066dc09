"""Sessions without a bar, and bars without a session.

1. Count the bars of each ticker, and look up those on days that are no session: both need no bar to be read.
2. What is left is short of the sessions between a ticker's first and last bar by its gaps.
3. Only the tickers with most of them are read to say which.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from dataclasses import dataclass

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.bar_days import DayCount, bars_on, day_counts, days_of
from backend.database.bar_reader import session_days
from backend.database.universes import get_universe, members
from strategy.panel import DateArray
from strategy.sessions import missing_sessions, sessions_between

#: Sessions named for each ticker; the count tells of the others.
_NAMED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerGaps:
    """Sessions between the first and the last bar of a ticker that have none; `sessions` names the first 50."""

    ticker: str
    first: dt.date
    last: dt.date
    n_missing: int
    sessions: tuple[dt.date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """Gaps of a universe.

    `n_missing` sessions lack a bar, over `n_tickers` tickers; `n_off_session` bars are on days that are no session.
    """

    calendar: str
    n_missing: int
    n_tickers: int
    n_off_session: int
    tickers: tuple[TickerGaps, ...]


async def universe_gaps(connection: AsyncConnection, key: str, *, limit: int) -> Gaps:
    """Gaps of a universe, those of the `limit` tickers with most of them one by one.

    Raises `UnknownUniverseError`, and `CalendarError` when the sessions of its exchange cannot be told.
    """
    universe = await get_universe(connection, key)
    stays, _ = await members(connection, key)
    tickers = sorted({stay.ticker for stay in stays})
    days = await session_days(connection, tickers)
    if not days:
        return Gaps(calendar=universe.calendar, n_missing=0, n_tickers=0, n_off_session=0, tickers=())
    sessions = await asyncio.to_thread(sessions_between, universe.calendar, days[0], days[-1])
    off: list[dt.date] = np.setdiff1d(np.array(days, dtype="datetime64[D]"), sessions).tolist()
    n_off = Counter(ticker for ticker, _ in await bars_on(connection, tickers, off)) if off else Counter[str]()
    counts = {count.ticker: count for count in await day_counts(connection, tickers)}
    missing = {
        ticker: _n_expected(sessions, count) - (count.n_bars - n_off[ticker]) for ticker, count in counts.items()
    }
    worst = sorted((ticker for ticker in missing if missing[ticker]), key=lambda ticker: (-missing[ticker], ticker))
    found = await days_of(connection, worst[:limit])
    return Gaps(
        calendar=universe.calendar,
        n_missing=sum(missing.values()),
        n_tickers=len(worst),
        n_off_session=n_off.total(),
        tickers=tuple(_gaps(counts[ticker], found[ticker], sessions) for ticker in worst[:limit]),
    )


def _n_expected(sessions: DateArray, count: DayCount) -> int:
    first, last = np.datetime64(count.first, "D"), np.datetime64(count.last, "D")
    return int(np.searchsorted(sessions, last, side="right") - np.searchsorted(sessions, first))


def _gaps(count: DayCount, days: list[dt.date], sessions: DateArray) -> TickerGaps:
    missing = missing_sessions(sessions, np.array(days, dtype="datetime64[D]"))
    return TickerGaps(
        ticker=count.ticker,
        first=count.first,
        last=count.last,
        n_missing=missing.size,
        sessions=tuple(missing[:_NAMED].tolist()),
    )
