"""How much is stored of tickers.

`ticker_coverage` keeps what a count of all bars of a ticker would find. The transaction that inserts bars adds them to
the counts of their tickers, or removes these on SQLite. Triggers remove the count of a ticker whose bars are changed or
removed. The next run of an ingest counts such tickers again, and until then a reader does. So a figure is exact
whenever it is read, and cheap as a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, case, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.bar_lock import lock_bars
from backend.database.models.market import Bar, TickerCoverage
from backend.database.versions import in_lists

_COLUMNS = ("ticker", "bars", "suspect", "bad", "first_session", "last_session", "known_at")


async def coverage(connection: AsyncConnection, tickers: Sequence[str]) -> dict[str, Any]:  # Any: counts and dates
    """Rows, first and last session, newest `known_at` and quality counts of the tickers."""
    counted, uncounted = await _counted(connection, tickers)
    rows = list(counted)
    for some in in_lists(uncounted):
        rows += (await connection.execute(_count(some))).all()
    bars, suspect, bad = (sum(getattr(row, name) for row in rows) for name in ("bars", "suspect", "bad"))
    return {
        "bars": bars,
        "first_session": min((row.first_session for row in rows), default=None),
        "last_session": max((row.last_session for row in rows), default=None),
        "known_at": max((row.known_at for row in rows), default=None),
        "quality": {"good": bars - suspect - bad, "suspect": suspect, "bad": bad},
    }


async def count_coverage(connection: AsyncConnection, tickers: Sequence[str]) -> None:
    """Count the bars of the tickers that have no count, so that readers need not."""
    await lock_bars(connection)
    _, uncounted = await _counted(connection, tickers)
    for some in in_lists(uncounted):
        await connection.execute(insert(TickerCoverage).from_select(_COLUMNS, _count(some)))


async def _counted(connection: AsyncConnection, tickers: Sequence[str]) -> tuple[Sequence[Any], list[str]]:
    """Rows of the tickers that have a count, and the tickers that have none."""
    rows: list[Any] = []  # Any: a row of mixed columns
    for some in in_lists(tickers):
        query = select(TickerCoverage.__table__).where(TickerCoverage.ticker.in_(some))
        rows += (await connection.execute(query)).all()
    return rows, sorted(set(tickers) - {row.ticker for row in rows})


def _count(tickers: Sequence[str]) -> Select[Any]:  # Any: columns of mixed types
    def of_quality(quality: str) -> Any:  # Any: an SQL aggregate
        return func.sum(case((Bar.data_quality == quality, 1), else_=0)).label(quality)

    return (
        select(
            Bar.ticker,
            func.count().label("bars"),
            of_quality("suspect"),
            of_quality("bad"),
            func.min(Bar.date).label("first_session"),
            func.max(Bar.date).label("last_session"),
            func.max(Bar.known_at).label("known_at"),
        )
        .where(Bar.ticker.in_(tickers))
        .group_by(Bar.ticker)
    )
