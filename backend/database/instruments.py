"""Instruments and the symbols they bore, as known at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.actions import actions
from backend.database.models.market import CorporateAction, Instrument
from backend.database.versions import in_lists
from strategy.symbols import SymbolStay, symbol_stays

_COLUMNS = ("id", "symbol", "start_date", "kind", "currency", "calendar", "name", "known_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentRecord:
    """What facts are about.

    Parameters
    ----------
    id : str
        What its bars and actions are stored under; it never changes.
    symbol : str
        The first symbol that it bore, from `start_date` (None: since ever) on.
    kind : {"equity", "etf", "index", "fx", "crypto", "fund"}
    currency : str
        ISO 4217 code of its quotes.
    calendar : str
        Exchange, ISO 10383 code.
    name : str or None
    known_at : datetime
    """

    id: str
    symbol: str
    start_date: dt.date | None
    kind: str
    currency: str
    calendar: str
    name: str | None
    known_at: dt.datetime


async def instruments(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, InstrumentRecord]:
    """The instruments of these ids, those that there are."""
    found: dict[str, InstrumentRecord] = {}
    for some in in_lists(ids):
        found |= await _selected(connection, Instrument.id.in_(some))
    return found


async def bearers(connection: AsyncConnection, symbols: Sequence[str]) -> dict[str, InstrumentRecord]:
    """Every instrument that bore one of the symbols at any time, or has it for its id."""
    found: dict[str, InstrumentRecord] = {}
    for some in in_lists(symbols):
        renamed = select(CorporateAction.ticker).where(CorporateAction.new_symbol.in_(some))
        found |= await _selected(
            connection, or_(Instrument.id.in_(some), Instrument.symbol.in_(some), Instrument.id.in_(renamed))
        )
    return found


async def stays_of(
    connection: AsyncConnection, found: dict[str, InstrumentRecord], *, as_of: dt.datetime | None = None
) -> list[SymbolStay]:
    """The symbols that the instruments bore, as known at `as_of` (None: now), by instrument and in order."""
    changes: dict[str, list[tuple[dt.date, str]]] = {}
    delisted: dict[str, dt.date] = {}
    for action in await actions(connection, sorted(found), as_of=as_of):
        if action.kind == "symbol_change" and action.new_symbol:
            changes.setdefault(action.ticker, []).append((action.ex_date, action.new_symbol))
        if action.kind == "delisting":
            delisted[action.ticker] = action.ex_date
    return [
        stay
        for key, record in sorted(found.items())
        for stay in symbol_stays(
            key,
            record.symbol,
            start_date=record.start_date,
            changes=changes.get(key, ()),
            delisted_on=delisted.get(key),
        )
    ]


async def add_instruments(connection: AsyncConnection, records: Sequence[InstrumentRecord]) -> int:
    """Register the instruments that are new; those of a known id stay as they are. Returns how many."""
    known = await instruments(connection, [record.id for record in records])
    rows = [asdict(record) for record in records if record.id not in known]
    if rows:
        await connection.execute(insert(Instrument), rows)
    return len(rows)


async def describe_instrument(connection: AsyncConnection, record: InstrumentRecord) -> None:
    """Register the instrument, or replace its description; its id, and when it became known, stay."""
    if await add_instruments(connection, [record]):
        return
    values = {name: getattr(record, name) for name in _COLUMNS if name not in {"id", "known_at"}}
    await connection.execute(update(Instrument).where(Instrument.id == record.id).values(values))


async def _selected(connection: AsyncConnection, condition: ColumnElement[bool]) -> dict[str, InstrumentRecord]:
    columns = [getattr(Instrument, name) for name in _COLUMNS]
    rows = (await connection.execute(select(*columns).where(condition))).all()
    return {row.id: InstrumentRecord(**row._mapping) for row in rows}
