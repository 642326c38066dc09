"""Universes and their dated members, as known at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.errors import UnknownUniverseError
from backend.database.models.market import IndexConstituent, Universe
from backend.database.versions import in_lists, later_than
from strategy.universe import Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseRecord:
    """A universe and where its bars come from.

    Parameters
    ----------
    key, name : str
    currency : str
        ISO 4217 code of its members' quotes.
    calendar : str
        Exchange, ISO 10383 code.
    benchmark : str or None
        Id of an instrument.
    source : str
        Name of the source of bars.
    source_options : dict
        Its options; never a key or password.
    kind : {"equity", "etf", "index", "fx", "crypto", "fund"}
        What the members are, where their source does not say.
    list_date : date or None
        Date of the list that the members were taken from; None: not known.
    """

    key: str
    name: str
    currency: str
    calendar: str
    benchmark: str | None
    source: str
    source_options: dict[str, Any]  # Any: JSON values
    kind: str = "equity"
    list_date: dt.date | None = None


async def universe_keys(connection: AsyncConnection) -> list[str]:
    """Keys of all universes, sorted."""
    return list((await connection.scalars(select(Universe.key).distinct().order_by(Universe.key))).all())


async def get_universe(connection: AsyncConnection, key: str, *, as_of: dt.datetime | None = None) -> UniverseRecord:
    """One universe as described at `as_of` (None: now); `UnknownUniverseError` when there is none of this key.

    At a moment before its first description that one holds: it is our own choice, not news about a market.
    """
    record, _ = await _version(connection, key, as_of)
    if record is None:
        raise UnknownUniverseError(key, await universe_keys(connection))
    return record


async def put_universe(connection: AsyncConnection, universe: UniverseRecord, *, known_at: dt.datetime) -> bool:
    """Create the universe, or append a version of its description; False when it says what is known already."""
    before, newest = await _version(connection, universe.key, None)
    if before == universe:
        return False
    values = {name: getattr(universe, name) for name in UniverseRecord.__slots__}
    await connection.execute(insert(Universe).values(values | {"known_at": later_than(newest, known_at)}))
    return True


async def members(
    connection: AsyncConnection, key: str, *, as_of: dt.datetime | None = None
) -> tuple[list[Membership], dt.datetime | None]:
    """Stays of every ticker of a universe as known at `as_of` (None: now), and the newest `known_at` among them.

    A withdrawn stay is not among them, but its withdrawal counts as knowledge.
    """
    versions = await _newest_versions(connection, key, as_of=as_of)
    newest = max((known_at for _, known_at, _ in versions), default=None)
    return [stay for stay, _, is_withdrawn in versions if not is_withdrawn], newest


async def put_members(
    connection: AsyncConnection,
    key: str,
    stays: Sequence[Membership],
    *,
    known_at: dt.datetime,
    withdrawn: Sequence[Membership] = (),
) -> int:
    """Append the stays that are new or end otherwise than known so far, and the withdrawal of those that never were.

    Returns how many versions were appended: none when all of it is known.
    """
    asked = sorted({stay.ticker for stay in (*stays, *withdrawn)})
    known = [it for some in in_lists(asked) for it in await _newest_versions(connection, key, tickers=some)]
    versions = {(it[0].ticker, it[0].start_date): it for it in known}
    rows = []
    for stay, is_withdrawn in [*((stay, False) for stay in stays), *((stay, True) for stay in withdrawn)]:
        before, newest, was_withdrawn = versions.get((stay.ticker, stay.start_date), (None, None, None))
        if (before, was_withdrawn) != (stay, is_withdrawn):
            moment = later_than(newest, known_at)
            rows.append({"index_name": key, **asdict(stay), "withdrawn": is_withdrawn, "known_at": moment})
    if rows:
        await connection.execute(insert(IndexConstituent), rows)
    return len(rows)


async def _newest_versions(
    connection: AsyncConnection,
    key: str,
    *,
    as_of: dt.datetime | None = None,
    tickers: Sequence[str] | None = None,
) -> list[tuple[Membership, dt.datetime, bool]]:
    """What was known last of each stay, since when, and whether that is its withdrawal; by ticker and start.

    Of all tickers, or of so few that `in_lists` gives them at once.
    """
    table = IndexConstituent
    age = func.row_number().over(partition_by=(table.ticker, table.start_date), order_by=table.known_at.desc())
    columns = (table.ticker, table.start_date, table.end_date, table.known_at, table.withdrawn)
    ranked = select(*columns, age.label("age")).where(table.index_name == key)
    if as_of is not None:
        ranked = ranked.where(table.known_at <= as_of)
    if tickers is not None:
        ranked = ranked.where(table.ticker.in_(tickers))
    newest = ranked.subquery()
    query = select(newest).where(newest.c.age == 1).order_by(newest.c.ticker, newest.c.start_date)
    return [
        (Membership(ticker=row.ticker, start_date=row.start_date, end_date=row.end_date), row.known_at, row.withdrawn)
        for row in (await connection.execute(query)).all()
    ]


async def _version(
    connection: AsyncConnection, key: str, as_of: dt.datetime | None
) -> tuple[UniverseRecord | None, dt.datetime | None]:
    """The description that held at `as_of`, and since when."""
    table = Universe.__table__
    rows = (await connection.execute(select(table).where(table.c.key == key).order_by(table.c.known_at))).all()
    if not rows:
        return None, None
    known = [row for row in rows if as_of is None or row.known_at <= as_of] or rows[:1]
    values = {name: value for name, value in known[-1]._mapping.items() if name != "known_at"}
    return UniverseRecord(**values), known[-1].known_at
