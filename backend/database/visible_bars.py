"""Bars as they were known at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import DateTime, Select, Subquery, and_, func, or_, select, type_coerce, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.errors import UnknownTickerError
from backend.database.models.market import Bar, SupersededBar

COLUMNS = ("ticker", "date", "open", "high", "low", "close", "volume", "adjusted_close")
#: Those of them that are floating-point numbers.
NUMBERS = COLUMNS[2:]
_FACTS = (*COLUMNS, "source", "data_quality", "known_at")


def visible_bars(as_of: dt.datetime | None) -> Subquery:
    """The version of every bar that was the newest at `as_of` (None: now), bars of quality 'bad' left out."""
    newest = select(*(getattr(Bar, name) for name in _FACTS)).where(Bar.data_quality != "bad")
    if as_of is None:
        return newest.subquery()
    superseded = select(*(getattr(SupersededBar, name) for name in _FACTS)).where(
        SupersededBar.known_at <= as_of,
        SupersededBar.superseded_at > as_of,
        SupersededBar.data_quality != "bad",
    )
    return union_all(newest.where(Bar.known_at <= as_of), superseded).subquery()


async def price_columns(
    connection: AsyncConnection,
    tickers: Sequence[str],
    *,
    span: tuple[dt.date | None, dt.date | None],
    as_of: dt.datetime | None,
    after: tuple[str, dt.date] | None,
    limit: int,
) -> dict[str, Sequence[Any]]:  # Any: each column has its own type
    """Bars of the tickers as columns, sorted by (ticker, date), at most `limit`, those behind the cursor `after` first.

    `UnknownTickerError` names the first ticker of which nothing at all is stored.
    """
    bars = visible_bars(as_of)
    query: Select[Any] = select(bars).where(bars.c.ticker.in_(tickers))
    first, last = span
    if first is not None:
        query = query.where(bars.c.date >= first)
    if last is not None:
        query = query.where(bars.c.date <= last)
    if after is not None:
        ticker, date = after
        query = query.where(or_(bars.c.ticker > ticker, and_(bars.c.ticker == ticker, bars.c.date > date)))
    columns = await _columns(connection, query.order_by(bars.c.ticker, bars.c.date).limit(limit))
    found = set(columns["ticker"])
    await _refuse_unknown(connection, [ticker for ticker in tickers if ticker not in found])
    return columns


async def _columns(connection: AsyncConnection, query: Select[Any]) -> dict[str, Sequence[Any]]:  # Any: see above
    """Columns of a sorted query.

    PostgreSQL sends a column as one array: a row object for every bar takes three times the processor. An aggregate
    without an order of its own meets the rows as the subquery sorts them (PostgreSQL's manual, "Aggregate Functions").
    """
    if connection.dialect.name != "postgresql":
        rows = (await connection.execute(query)).all()
        return dict(zip(_FACTS, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(_FACTS, ())
    bars = query.subquery()
    # The driver gives moments in UTC already; without their type nobody converts them one by one.
    plain = {"known_at": type_coerce(bars.c.known_at, DateTime(timezone=True))}
    arrays = select(*(func.array_agg(plain.get(name, bars.c[name])) for name in _FACTS))
    return {name: column or () for name, column in zip(_FACTS, (await connection.execute(arrays)).one(), strict=True)}


async def _refuse_unknown(connection: AsyncConnection, tickers: Sequence[str]) -> None:
    if not tickers:
        return
    known = set(await connection.scalars(select(Bar.ticker).where(Bar.ticker.in_(tickers)).distinct()))
    for ticker in tickers:
        if ticker not in known:
            raise UnknownTickerError(ticker)
