"""/data/restatements, /data/actions, /data/instruments: what is known beside the bars, and what was rewritten."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from backend.database.actions import actions
from backend.routers.cursors import cursor_bar, encoded_cursor
from backend.routers.dependencies import Connection
from backend.routers.moments import AsOf, moment, names_in
from backend.schemas.facts import (
    ActionOut,
    ActionsOut,
    InstrumentOut,
    InstrumentsOut,
    RestatementOut,
    RestatementsOut,
    SymbolStayOut,
)
from backend.services.instruments import symbol_history
from backend.services.restatements import RestatementQuery, restatements

router = APIRouter()  # included in the area "data"


@router.get("/restatements")
async def get_restatements(
    connection: Connection,
    earlier: Annotated[dt.datetime, Query(alias="from", description="The earlier moment, with its zone.")],
    later: Annotated[dt.datetime | None, Query(alias="to", description="The later moment; absent: now.")] = None,
    universe: Annotated[str | None, Query(max_length=80, description="Absent: every instrument.")] = None,
    limit: Annotated[int, Query(ge=1, le=5_000, description="Bars on a page.")] = 500,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> RestatementsOut:
    """What vendors rewrote between two moments."""
    query = RestatementQuery(
        earlier=moment(earlier, field="from"),
        later=moment(later, field="to"),
        universe=universe,
        after=cursor_bar(cursor),
        limit=limit,
    )
    found = await restatements(connection, query)
    following = found.next_bar
    return RestatementsOut(
        earlier=query.earlier,
        later=query.later,
        universe=universe,
        by_field=found.by_field,
        data=[RestatementOut.model_validate(asdict(change)) for change in found.changes],
        next_cursor=encoded_cursor(following[0], following[1].isoformat()) if following else None,
    )


@router.get("/actions")
async def get_actions(
    connection: Connection,
    tickers: Annotated[str, Query(max_length=4_000, description="Ids of instruments, separated by commas.")],
    as_of: AsOf = None,
) -> ActionsOut:
    """Splits, dividends, symbol changes and delistings, as known at a moment."""
    known_at = moment(as_of)
    found = await actions(connection, names_in(tickers, field="tickers"), as_of=known_at)
    return ActionsOut(as_of=known_at, data=[ActionOut.model_validate(asdict(action)) for action in found])


@router.get("/instruments")
async def get_instruments(
    connection: Connection,
    symbol: Annotated[str, Query(min_length=1, max_length=40, description="Exactly as the exchange writes it.")],
    on: Annotated[dt.date | None, Query(description="Who bore it on this date; absent: today.")] = None,
    as_of: AsOf = None,
) -> InstrumentsOut:
    """Every instrument that ever bore a symbol: two companies under one symbol are two instruments."""
    known_at = moment(as_of)
    date = on or known_at.date()
    found = await symbol_history(connection, symbol, on=date, as_of=known_at)
    return InstrumentsOut(
        as_of=known_at,
        symbol=symbol,
        holder=found.holder,
        on=date,
        data=[
            InstrumentOut(
                id=record.id,
                kind=record.kind,
                currency=record.currency,
                calendar=record.calendar,
                name=record.name,
                symbols=[
                    SymbolStayOut(symbol=stay.symbol, start_date=stay.start_date, end_date=stay.end_date)
                    for stay in stays
                ],
            )
            for record, stays in found.instruments
        ],
    )
