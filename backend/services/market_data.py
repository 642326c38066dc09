"""What is stored of a universe, and its bars with their provenance."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, Literal, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from aws.s3_cache import ObjectStore
from aws.snapshots import current_snapshot
from backend.database.coverage import coverage
from backend.database.ingest_runs import RunRecord, recent_runs
from backend.database.universes import get_universe, members, universe_keys
from backend.database.visible_bars import NUMBERS, price_columns
from strategy.errors import CalendarError

Adjustment: TypeAlias = Literal["none", "split", "total"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseCoverage:
    """How much there is of a universe, and how old it is.

    `age_days` counts calendar days since the newest bar, `sessions_behind` the sessions since then that ought to be
    known: it is None without a bar, or when the library does not know the universe's calendar.
    """

    key: str
    name: str
    tickers: int
    bars: int
    first_session: dt.date | None
    last_session: dt.date | None
    known_at: dt.datetime | None
    age_days: int | None
    sessions_behind: int | None
    quality: dict[str, int]
    snapshot: str | None
    last_run: RunRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceQuery:
    """Bars of some tickers between two sessions, as known at a moment; `after` is the last row already served.

    `adjustment`: "none" (as traded), "split", or "total" (for dividends as well).
    """

    tickers: Sequence[str]
    start: dt.date | None
    end: dt.date | None
    as_of: dt.datetime
    after: tuple[str, dt.date] | None
    limit: int
    adjustment: Adjustment = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Bars and where they come from; `has_more` when the limit cut them."""

    columns: Mapping[str, Sequence[Any]]  # Any: each column has its own type
    sources: list[str]
    quality: dict[str, int]
    data_hash: str
    has_more: bool

    def rows(self) -> list[dict[str, Any]]:  # Any: a row of mixed columns
        """The bars as JSON writes them: dates and moments as text."""
        dates = [date.isoformat() for date in self.columns["date"]]
        moments = [moment.isoformat() for moment in self.columns["known_at"]]
        columns = {**self.columns, "date": dates, "known_at": moments}
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


async def universe_coverage(
    connection: AsyncConnection, store: ObjectStore, key: str, *, now: dt.datetime
) -> UniverseCoverage:
    """Coverage and freshness of one universe at the moment `now`."""
    universe = await get_universe(connection, key)
    tickers = await member_tickers(connection, key)
    runs = await recent_runs(connection, universe_key=key, limit=1)
    found = await coverage(connection, tickers)
    last = found["last_session"]
    return UniverseCoverage(
        key=key,
        name=universe.name,
        tickers=len(tickers),
        age_days=(now.date() - last).days if last else None,
        sessions_behind=await _sessions_behind(universe.calendar, last, now) if last else None,
        snapshot=await current_snapshot(store, key),
        last_run=runs[0] if runs else None,
        **found,
    )


async def all_coverage(connection: AsyncConnection, store: ObjectStore, *, now: dt.datetime) -> list[UniverseCoverage]:
    """Coverage and freshness of every universe at the moment `now`."""
    keys = await universe_keys(connection)
    return [await universe_coverage(connection, store, key, now=now) for key in keys]


async def _sessions_behind(calendar: str, last: dt.date, now: dt.datetime) -> int | None:
    from strategy.sessions import sessions_behind  # noqa: PLC0415  cold start: numpy, and pandas at its first call

    try:
        # In a thread: that import takes a second or two of a small Lambda.
        return await asyncio.to_thread(sessions_behind, calendar, last, now)
    except CalendarError:
        # A universe of an earlier version may name any text; one bad calendar must not hide all other universes.
        return None


async def member_tickers(connection: AsyncConnection, key: str) -> list[str]:
    """Every ticker that ever was in the universe, sorted."""
    stays, _ = await members(connection, key)
    return sorted({stay.ticker for stay in stays})


async def prices(connection: AsyncConnection, query: PriceQuery) -> Prices:
    """Bars of a query, at most `limit` of them, with sources, quality counts and a hash of the bars as served.

    Raises `UnknownTickerError` for a ticker of which nothing is stored, and as `adjusted_prices.factors_of` does.
    """
    found = await price_columns(
        connection,
        query.tickers,
        span=(query.start, query.end),
        as_of=query.as_of,
        after=query.after,
        limit=query.limit + 1,
    )
    page = {name: column[: query.limit] for name, column in found.items()}
    if query.adjustment != "none":
        from backend.services.adjusted_prices import adjusted, factors_of  # noqa: PLC0415  cold start: numpy

        factors = await factors_of(connection, query.tickers, as_of=query.as_of)
        page = adjusted(page, factors, query.adjustment)
    return Prices(
        columns=page,
        sources=sorted(set(page["source"])),
        quality={"good": 0, "suspect": 0} | Counter(page["data_quality"]),
        data_hash=_hash(page),
        has_more=len(found["ticker"]) > query.limit,
    )


def _hash(columns: Mapping[str, Sequence[Any]]) -> str:  # Any: each column has its own type
    """Hash of every value; of the numbers' bits, since writing them out takes longer than reading them."""
    digest = hashlib.sha256()
    for name, column in sorted(columns.items()):
        digest.update(f"{name} {len(column)} ".encode())
        if name in NUMBERS:
            given = [nan if value is None else value for value in column] if None in column else column
            digest.update(array("d", given))
        elif name == "known_at":
            digest.update(array("d", [moment.timestamp() for moment in column]))
        elif name == "date":
            digest.update(array("q", [date.toordinal() for date in column]))
        else:
            digest.update("\n".join(column).encode())
    return digest.hexdigest()
