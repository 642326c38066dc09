"""Instruments and corporate actions from files: maps of symbols, factor files, and plain tables of actions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.database.actions import ActionRecord, put_actions
from backend.database.connection import transaction
from backend.database.instruments import InstrumentRecord, bearers, describe_instrument, stays_of
from backend.ingest.errors import SourceSettingsError
from backend.services.clock import utc_now
from strategy.sessions import next_session
from strategy.symbols import free_id, last_bearer, last_symbol

if TYPE_CHECKING:
    import pyarrow as pa

    from backend.ingest.sources.lean import MapFile

_SOURCE = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionImport:
    """What an import did: instruments that it described, actions in the files, and how many of them were new."""

    instruments: int
    actions: int
    new: int


async def import_map_files(
    engine: AsyncEngine, folder: Path, *, currency: str, calendar: str, clock: Callable[[], dt.datetime] = utc_now
) -> ActionImport:
    """Register the company of each map file with its symbols and delisting; harmless to repeat.

    A company still listed, or listed longer, gets the id of its symbol before one that bore it earlier.

    Raises
    ------
    SourceSettingsError
        If the folder has no file, or a line of one is wrong; nothing is stored.
    """
    from backend.ingest.sources.lean import read_map_file  # noqa: PLC0415  start-up

    found = [read_map_file(path) for path in _csv_files(folder)]
    found.sort(key=lambda company: (company.delisted_on or dt.date.max, company.start_date), reverse=True)
    now = clock()
    n_actions = n_new = 0
    async with transaction(engine) as connection:
        for company in found:
            key = await _id_of(connection, company)
            await describe_instrument(
                connection,
                InstrumentRecord(
                    id=key,
                    symbol=company.symbol,
                    start_date=company.start_date,
                    kind="equity",
                    currency=currency,
                    calendar=calendar,
                    name=None,
                    known_at=now,
                ),
            )
            actions = _symbol_actions(key, company, calendar, now)
            n_actions += len(actions)
            n_new += await put_actions(connection, actions, source=_SOURCE)
    return ActionImport(instruments=len(found), actions=n_actions, new=n_new)


async def import_factor_files(
    engine: AsyncEngine, folder: Path, *, calendar: str, clock: Callable[[], dt.datetime] = utc_now
) -> ActionImport:
    """Splits and dividends of the factor file of each registered symbol; harmless to repeat.

    A file is named for the symbol, ``aapl.csv``; those of earlier bearers of a symbol, ``twx.1.csv``, are left out,
    since only their map file says who they were.
    """
    from backend.ingest.sources.lean import read_factor_file  # noqa: PLC0415  start-up

    now = clock()
    today = now.date()
    paths = {path.stem.upper(): path for path in _csv_files(folder)}
    async with transaction(engine) as connection:
        stays = await stays_of(connection, await bearers(connection, sorted(paths)))
        # A file is that of the company whose symbol it is now; whoever bore it before has another file.
        bearer = {symbol: last_bearer(stays, symbol, today) for symbol in paths}
        owners = {symbol: key for symbol, key in bearer.items() if key and last_symbol(stays, key) == symbol}
        records = [
            record
            for symbol, key in sorted(owners.items())
            for record in _records(
                read_factor_file(paths[symbol], ticker=key, next_session=lambda date: next_session(calendar, date)),
                now,
            )
        ]
        n_new = await put_actions(connection, records, source=_SOURCE)
    return ActionImport(instruments=len(owners), actions=len(records), new=n_new)


async def import_actions(
    engine: AsyncEngine, path: Path, *, clock: Callable[[], dt.datetime] = utc_now
) -> ActionImport:
    """Actions of a CSV or Parquet table with the columns ticker, ex_date, kind, value and new_symbol; all or nothing.

    Raises
    ------
    SourceSettingsError
        If the file cannot be read, or a row of it is no action; the first such row is named.
    """
    from backend.ingest.sources.action_table import read_actions  # noqa: PLC0415  start-up

    records = _records(read_actions(path), clock())
    async with transaction(engine) as connection:
        n_new = await put_actions(connection, records, source=_SOURCE)
    return ActionImport(instruments=len({record.ticker for record in records}), actions=len(records), new=n_new)


async def _id_of(connection: AsyncConnection, company: MapFile) -> str:
    """Id of the company: the one it has, or that of an instrument of which only the symbol is known, or a new one."""
    known = await bearers(connection, [company.symbol, company.last_symbol])
    for record in known.values():
        if (record.symbol, record.start_date) == (company.symbol, company.start_date):
            return record.id
    bare = known.get(company.last_symbol)
    if bare is not None and bare.start_date is None and bare.symbol == company.last_symbol:
        return bare.id
    return free_id(company.last_symbol, company.start_date, known)


def _symbol_actions(key: str, company: MapFile, calendar: str, now: dt.datetime) -> list[ActionRecord]:
    changes = [
        ActionRecord(ticker=key, ex_date=date, kind="symbol_change", value=1.0, known_at=now, new_symbol=symbol)
        for date, symbol in company.changes
    ]
    if company.delisted_on is None:
        return changes
    # What a holder got is not in a map file: sold at the last close.
    last = company.delisted_on - dt.timedelta(days=1)
    gone = next_session(calendar, last)
    return [*changes, ActionRecord(ticker=key, ex_date=gone, kind="delisting", value=0.0, known_at=now)]


def _records(table: pa.Table, now: dt.datetime) -> list[ActionRecord]:
    return [ActionRecord(**row, known_at=now) for row in table.to_pylist()]


def _csv_files(folder: Path) -> Sequence[Path]:
    if not folder.is_dir():
        raise SourceSettingsError("path", str(folder), "there is no such folder")
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise SourceSettingsError("path", str(folder), "the folder has no file ending in .csv")
    return paths
