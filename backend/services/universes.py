"""Universes by name: describe them, list their members, change both.

A universe of the registry is stored when it is first used. Members that come from a list (`list_date` is set) are
those of the list: an ingest adds none.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.database.connection import transaction
from backend.database.errors import UnknownUniverseError
from backend.database.instruments import bearers, stays_of
from backend.database.universes import (
    UniverseRecord,
    get_universe,
    members,
    put_members,
    put_universe,
    universe_keys,
)
from backend.ingest.member_files import EndDate, MembersFile, read_members
from backend.services.clock import utc_now
from backend.services.errors import NoMembersError, RequestError, UniverseExistsError
from backend.services.known_universes import known_universes
from strategy.errors import MembershipError
from strategy.symbols import holder, last_bearer
from strategy.universe import MemberChange, Membership, changed_stays, overlaps

KINDS = ("equity", "etf", "index", "fx", "crypto", "fund")
#: As the schedules of infrastructure/variables.tf take them.
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberList:
    """A list of members in a file.

    Parameters
    ----------
    path : Path
        See `backend.ingest.member_files.read_members`. A list of stays is the whole list; changes change what is known.
    end_date : {"last-day", "first-day-out"}
        What its end dates mean.
    list_date : date or None
        Of the list; None: today, when it brings anything new.
    replaces : bool
        Withdraw the stays that a whole list does not have; without it they are an error.
    """

    path: Path
    end_date: EndDate = "last-day"
    list_date: dt.date | None = None
    replaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersReport:
    """What a list of members changed: `appended` versions of stays, `withdrawn` of them taken back."""

    universe: str
    stays: int
    appended: int
    withdrawn: int
    list_date: dt.date | None


async def described(
    connection: AsyncConnection, key: str, *, as_of: dt.datetime | None = None
) -> tuple[UniverseRecord, list[Membership]]:
    """A universe and its stays as known at `as_of` (None: now); one of the registry as it will be stored."""
    try:
        record = await get_universe(connection, key, as_of=as_of)
    except UnknownUniverseError as error:
        known = known_universes().get(key)
        if known is None:
            raise UnknownUniverseError(key, sorted({*error.known, *known_universes()})) from error
        return known.record, list(known.stays())
    stays, _ = await members(connection, key, as_of=as_of)
    return record, stays


async def stored(connection: AsyncConnection, record: UniverseRecord, *, now: dt.datetime) -> None:
    """Put a universe into the database as it is described here; one of the registry brings its list the first time."""
    known = known_universes().get(record.key)
    if known is not None and record.key not in await universe_keys(connection):
        await put_members(connection, record.key, known.stays(), known_at=now)
    await put_universe(connection, record, known_at=now)


def refuse_without_members(key: str, stays: Sequence[Membership]) -> None:
    """`NoMembersError` when an index has no list yet: whatever has bars today would be a list of survivors."""
    known = known_universes().get(key)
    if known is not None and known.list_file is None and not stays:
        raise NoMembersError(key)


async def create_universe(
    engine: AsyncEngine,
    record: UniverseRecord,
    stays: Sequence[Membership],
    *,
    clock: Callable[[], dt.datetime] = utc_now,
) -> UniverseRecord:
    """Store a universe of the user's own; harmless to repeat.

    Raises
    ------
    RequestError, CalendarError, MembershipError
        If the description or the members are wrong.
    UniverseExistsError
        If another universe has the key.
    """
    now = clock()
    check_universe(record, now=now)
    _refuse_overlaps(stays)
    wanted = replace(record, list_date=record.list_date or now.date()) if stays else record
    async with transaction(engine) as connection:
        try:
            before, known = await described(connection, record.key)
        except UnknownUniverseError:
            await put_universe(connection, wanted, known_at=now)
            await put_members(connection, record.key, stays, known_at=now)
            return wanted
    if replace(before, list_date=wanted.list_date) != wanted or set(known) != set(stays):
        raise UniverseExistsError(record.key)
    return before


async def import_members(
    engine: AsyncEngine, key: str, order: MemberList, *, clock: Callable[[], dt.datetime] = utc_now
) -> MembersReport:
    """Take the members of a universe from a file; the same file again changes nothing.

    Raises
    ------
    SourceSettingsError, MembersFileError, MembershipError
        If the file is wrong; nothing is stored.
    RequestError
        If stays that are known are not in it.
    UnknownUniverseError
    """
    file = await asyncio.to_thread(read_members, order.path, end_date=order.end_date)
    now = clock()
    async with transaction(engine) as connection:
        record, known = await described(connection, key)
        await stored(connection, record, now=now)
        stays, gone = _listed(known, await _by_instrument(connection, file, today=now.date()))
        if gone and not (order.replaces or file.changes):
            raise RequestError("members", str(order.path), _missing(gone))
        return await _put(connection, record, stays, gone, list_date=order.list_date, now=now)


async def change_members(
    engine: AsyncEngine,
    key: str,
    changes: Sequence[MemberChange],
    *,
    clock: Callable[[], dt.datetime] = utc_now,
) -> MembersReport:
    """Let tickers join and leave a universe; `MembershipError` names every change that is impossible."""
    now = clock()
    async with transaction(engine) as connection:
        record, known = await described(connection, key)
        await stored(connection, record, now=now)
        file = await _by_instrument(connection, MembersFile(changes=tuple(changes)), today=now.date())
        stays, gone = _listed(known, file)
        return await _put(connection, record, stays, gone, list_date=None, now=now)


def check_universe(record: UniverseRecord, *, now: dt.datetime) -> None:
    """Refuse a description with a field that means nothing."""
    # Here and not above: who only reads universes needs neither arrays nor sources.
    from iso4217 import Currency  # noqa: PLC0415

    from backend.ingest.sources.selection import OPTIONS  # noqa: PLC0415
    from strategy.sessions import check_calendar, newest_due_session  # noqa: PLC0415

    if not _KEY.fullmatch(record.key):
        raise RequestError("key", record.key, "use 1 to 40 letters, digits, dots, hyphens and underscores")
    if record.kind not in KINDS:
        raise RequestError("kind", record.kind, f"known are {', '.join(KINDS)}")
    if record.currency not in {currency.code for currency in Currency}:
        raise RequestError("currency", record.currency, "no ISO 4217 code; write for example USD or AUD")
    for name in record.source.split(","):
        if name not in OPTIONS:
            raise RequestError("source", record.source, f"known are {', '.join(OPTIONS)}")
    check_calendar(record.calendar)
    newest_due_session(record.calendar, now)  # some that have a code cannot be built


async def _by_instrument(connection: AsyncConnection, file: MembersFile, *, today: dt.date) -> MembersFile:
    """The file with ids of instruments in place of the symbols that they bore on the day of each stay or change.

    A symbol that nobody is registered under is the id of the instrument that its first bars will register.
    """
    symbols = sorted({stay.ticker for stay in file.stays} | {change.ticker for change in file.changes})
    known = await stays_of(connection, await bearers(connection, symbols))

    def id_of(symbol: str, date: dt.date) -> str:
        return holder(known, symbol, date) or last_bearer(known, symbol, today) or symbol

    return replace(
        file,
        stays=tuple(replace(stay, ticker=id_of(stay.ticker, stay.start_date)) for stay in file.stays),
        changes=tuple(replace(change, ticker=id_of(change.ticker, change.member_day)) for change in file.changes),
    )


def _listed(known: Sequence[Membership], file: MembersFile) -> tuple[list[Membership], list[Membership]]:
    """The stays that a file makes of those that are known, and those that it takes back."""
    stays = changed_stays(known, file.changes) if file.changes else list(file.stays)
    kept = {(stay.ticker, stay.start_date) for stay in stays}
    return stays, [stay for stay in known if (stay.ticker, stay.start_date) not in kept]


async def _put(
    connection: AsyncConnection,
    record: UniverseRecord,
    stays: Sequence[Membership],
    gone: Sequence[Membership],
    *,
    list_date: dt.date | None,
    now: dt.datetime,
) -> MembersReport:
    appended = await put_members(connection, record.key, stays, known_at=now, withdrawn=gone)
    newest = list_date or (now.date() if appended or record.list_date is None else record.list_date)
    await put_universe(connection, replace(record, list_date=newest), known_at=now)
    return MembersReport(
        universe=record.key, stays=len(stays), appended=appended - len(gone), withdrawn=len(gone), list_date=newest
    )


def _refuse_overlaps(stays: Sequence[Membership]) -> None:
    problems = [f"{stay.ticker}: its stay from {stay.start_date} overlaps another" for _, stay in overlaps(stays)]
    if problems:
        raise MembershipError(problems)


def _missing(gone: Sequence[Membership]) -> str:
    first = ", ".join(f"{stay.ticker} from {stay.start_date}" for stay in gone[:5])
    return f"{len(gone)} stays that are known are not in it ({first}); to take them back, import it with --replace"
