"""On which days tickers have bars: counts, and the days themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.versions import in_lists
from backend.database.visible_bars import visible_bars


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """Number of bars of a ticker, and the days of its first and last one."""

    ticker: str
    n_bars: int
    first: dt.date
    last: dt.date


async def day_counts(connection: AsyncConnection, tickers: Sequence[str]) -> list[DayCount]:
    """The tickers that have bars, with how many."""
    bars = visible_bars(None)
    found = []
    for some in in_lists(tickers):
        query = (
            select(bars.c.ticker, func.count().label("n_bars"), func.min(bars.c.date), func.max(bars.c.date))
            .where(bars.c.ticker.in_(some))
            .group_by(bars.c.ticker)
        )
        rows = (await connection.execute(query)).all()
        found += [
            DayCount(ticker=ticker, n_bars=n_bars, first=first, last=last) for ticker, n_bars, first, last in rows
        ]
    return found


async def bars_on(
    connection: AsyncConnection, tickers: Sequence[str], days: Sequence[dt.date]
) -> list[tuple[str, dt.date]]:
    """Ticker and day of the bars on some days."""
    bars = visible_bars(None)
    found: list[tuple[str, dt.date]] = []
    for some in in_lists(tickers):
        query = select(bars.c.ticker, bars.c.date).where(bars.c.ticker.in_(some), bars.c.date.in_(days))
        found += [(ticker, date) for ticker, date in (await connection.execute(query)).all()]
    return found


async def days_of(connection: AsyncConnection, tickers: Sequence[str]) -> dict[str, list[dt.date]]:
    """Days on which each of a few tickers has a bar, in order."""
    bars = visible_bars(None)
    query = select(bars.c.ticker, bars.c.date).where(bars.c.ticker.in_(tickers)).order_by(bars.c.ticker, bars.c.date)
    found: dict[str, list[dt.date]] = {}
    for ticker, date in (await connection.execute(query)).all():
        found.setdefault(ticker, []).append(date)
    return found
