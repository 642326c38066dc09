"""Universes, their dated members, and the corporate actions of tickers, as known at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.errors import UnknownUniverseError
from backend.database.models import CorporateAction, IndexConstituent, Universe
from strategy.universe import Membership

#: Most values of an IN list that SQLite takes in one statement with room to spare.
_IN_LIST = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseRecord:
    """A universe and where its bars come from; `source_options` never holds a key or password."""

    key: str
    name: str
    currency: str
    calendar: str
    benchmark: str | None
    source: str
    source_options: dict[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord:
    """A split (value: new shares per old) or dividend (value: cash per share); value None: withdrawn."""

    ticker: str
    ex_date: dt.date
    kind: str
    value: float | None
    known_at: dt.datetime


async def universe_keys(connection: AsyncConnection) -> list[str]:
    """Keys of all universes, sorted."""
    return list((await connection.scalars(select(Universe.key).order_by(Universe.key))).all())


async def get_universe(connection: AsyncConnection, key: str) -> UniverseRecord:
    """One universe; `UnknownUniverseError` when there is none of this key."""
    table = Universe.__table__.c
    row = (await connection.execute(select(Universe.__table__).where(table.key == key))).one_or_none()
    if row is None:
        raise UnknownUniverseError(key, await universe_keys(connection))
    values = {name: value for name, value in row._mapping.items() if name != "created_at"}
    return UniverseRecord(**values)


async def put_universe(connection: AsyncConnection, universe: UniverseRecord) -> None:
    """Create the universe, or replace its description."""
    values = {name: getattr(universe, name) for name in UniverseRecord.__slots__}
    done = await connection.execute(update(Universe).where(Universe.key == universe.key).values(values))
    if done.rowcount == 0:
        await connection.execute(insert(Universe).values(values))


async def members(
    connection: AsyncConnection, key: str, *, as_of: dt.datetime | None = None
) -> tuple[list[Membership], dt.datetime | None]:
    """Stays of every ticker of a universe as known at `as_of` (None: now), and the newest `known_at` among them."""
    table = IndexConstituent
    newest = (
        select(table.ticker, table.start_date, func.max(table.known_at).label("known_at"))
        .where(table.index_name == key, *([table.known_at <= as_of] if as_of else []))
        .group_by(table.ticker, table.start_date)
        .subquery()
    )
    query = (
        select(table.ticker, table.start_date, table.end_date, table.known_at)
        .join(
            newest,
            (table.ticker == newest.c.ticker)
            & (table.start_date == newest.c.start_date)
            & (table.known_at == newest.c.known_at),
        )
        .where(table.index_name == key)
        .order_by(table.ticker, table.start_date)
    )
    rows = (await connection.execute(query)).all()
    stays = [Membership(ticker=row.ticker, start_date=row.start_date, end_date=row.end_date) for row in rows]
    return stays, max((row.known_at for row in rows), default=None)


async def put_members(
    connection: AsyncConnection, key: str, stays: Sequence[Membership], *, known_at: dt.datetime
) -> int:
    """Append the stays that are new or end otherwise than known so far; returns how many."""
    known, newest = await members(connection, key)
    before, replaced = set(known), {(stay.ticker, stay.start_date) for stay in known}
    rows = [
        {
            "index_name": key,
            "ticker": stay.ticker,
            "start_date": stay.start_date,
            "end_date": stay.end_date,
            "known_at": _after(newest if (stay.ticker, stay.start_date) in replaced else None, known_at),
        }
        for stay in stays
        if stay not in before
    ]
    if rows:
        await connection.execute(insert(IndexConstituent), rows)
    return len(rows)


async def actions(
    connection: AsyncConnection, tickers: Sequence[str], *, as_of: dt.datetime | None = None
) -> list[ActionRecord]:
    """Splits and dividends of the tickers as known at `as_of` (None: now), withdrawn ones left out, sorted."""
    found = await _newest_versions(connection, tickers, as_of)
    return [found[key] for key in sorted(found) if found[key].value is not None]


async def put_actions(connection: AsyncConnection, records: Sequence[ActionRecord], *, source: str) -> int:
    """Append the actions that are new or have another value than known so far; returns how many."""
    known = await _newest_versions(connection, sorted({record.ticker for record in records}), None)
    rows = []
    for record in records:
        before = known.get((record.ticker, record.ex_date, record.kind))
        if (before.value if before else None) != record.value:
            later = _after(before.known_at if before else None, record.known_at)
            rows.append(asdict(record) | {"known_at": later, "source": source})
    if rows:
        await connection.execute(insert(CorporateAction), rows)
    return len(rows)


def _after(newest: dt.datetime | None, known_at: dt.datetime) -> dt.datetime:
    """A new version is known strictly later than the one it replaces, whatever the clock of this process says."""
    return known_at if newest is None else max(known_at, newest + dt.timedelta(microseconds=1))


async def _newest_versions(
    connection: AsyncConnection, tickers: Sequence[str], as_of: dt.datetime | None
) -> dict[tuple[str, dt.date, str], ActionRecord]:
    found: dict[tuple[str, dt.date, str], ActionRecord] = {}
    table = CorporateAction
    for begin in range(0, len(tickers), _IN_LIST):
        query = (
            select(table.ticker, table.ex_date, table.kind, table.value, table.known_at)
            .where(table.ticker.in_(tickers[begin : begin + _IN_LIST]))
            .where(*([table.known_at <= as_of] if as_of else []))
            .order_by(table.known_at)
        )
        for row in (await connection.execute(query)).all():
            # Later versions come later and replace earlier ones.
            found[row.ticker, row.ex_date, row.kind] = ActionRecord(**row._mapping)
    return found
