"""Bars that are not good, as known at a moment.

Apart from `verdict_store`, so that a request for them loads no arrays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.models.market import Bar, SupersededBar
from backend.database.versions import in_lists

#: Key of `metadata` under which the rules that a bar breaks stand.
RULES_KEY = "rules"
_FLAGS = ("ticker", "date", "close", "source", "data_quality", "metadata_", "known_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedBar:
    """A bar that is not good: its close in quote currency, and the rules that it breaks."""

    ticker: str
    date: dt.date
    close: float
    source: str
    quality: str
    rules: tuple[str, ...]
    known_at: dt.datetime


async def flagged_bars(
    connection: AsyncConnection, tickers: Sequence[str], *, as_of: dt.datetime | None = None
) -> list[FlaggedBar]:
    """Bars of the tickers that are not good, as known at `as_of` (None: now), sorted by ticker and date."""
    rows: list[Row[Any]] = []
    for some in in_lists(tickers):
        known = _known_at(as_of, some)
        rows += (await connection.execute(select(known).where(known.c.data_quality != "good"))).all()
    found = [
        FlaggedBar(
            ticker=row.ticker,
            date=row.date,
            close=row.close,
            source=row.source,
            quality=row.data_quality,
            rules=tuple(row.metadata.get(RULES_KEY, ())),
            known_at=row.known_at,
        )
        for row in rows
    ]
    return sorted(found, key=lambda bar: (bar.ticker, bar.date))


async def bar_counts(
    connection: AsyncConnection, tickers: Sequence[str], *, as_of: dt.datetime | None = None
) -> dict[str, int]:
    """Number of bars of any quality of each ticker that has any, as known at `as_of` (None: now)."""
    counts: dict[str, int] = {}
    for some in in_lists(tickers):
        known = _known_at(as_of, some)
        query = select(known.c.ticker, func.count().label("n")).group_by(known.c.ticker)
        counts |= {row.ticker: row.n for row in (await connection.execute(query)).all()}
    return counts


def _known_at(as_of: dt.datetime | None, tickers: Sequence[str]) -> Any:  # Any: a subquery of mixed columns
    newest: Select[Any] = select(*(getattr(Bar, name) for name in _FLAGS)).where(Bar.ticker.in_(tickers))
    if as_of is None:
        return newest.subquery()
    superseded = select(*(getattr(SupersededBar, name) for name in _FLAGS)).where(
        SupersededBar.ticker.in_(tickers), SupersededBar.known_at <= as_of, SupersededBar.superseded_at > as_of
    )
    return union_all(newest.where(Bar.known_at <= as_of), superseded).subquery()
