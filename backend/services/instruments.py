"""Who bore a symbol, and when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.instruments import InstrumentRecord, bearers, stays_of
from strategy.symbols import SymbolStay, holder


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolHistory:
    """Every instrument that bore a symbol with all its stays, and the one that bore it on a date."""

    instruments: list[tuple[InstrumentRecord, list[SymbolStay]]]
    holder: str | None


async def symbol_history(connection: AsyncConnection, symbol: str, *, on: dt.date, as_of: dt.datetime) -> SymbolHistory:
    """Who bore a symbol, as known at `as_of`; empty when nobody is registered."""
    found = {key: record for key, record in (await bearers(connection, [symbol])).items() if record.known_at <= as_of}
    stays = await stays_of(connection, found, as_of=as_of)
    return SymbolHistory(
        instruments=[
            (record, [stay for stay in stays if stay.instrument == key]) for key, record in sorted(found.items())
        ],
        holder=holder(stays, symbol, on),
    )
