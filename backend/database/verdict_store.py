"""Stored bars with their verdicts, and new verdicts as new versions of the bars."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.bar_staging import BAR_COLUMNS
from backend.database.column_types import JsonObject, UtcDateTime
from backend.database.models.market import Bar
from backend.database.versions import in_lists, later_than


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBars:
    """Newest versions of bars of any quality, sorted by ticker and date: their values and, row by row, the rest."""

    bars: pa.Table
    sources: Sequence[str]
    qualities: Sequence[str]
    metadata: Sequence[JsonObject]
    known_at: Sequence[dt.datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVerdict:
    """Another verdict on a stored bar, which is its version of `known_at`.

    `is_version`: the quality is another one. Other rules of the same quality change nothing that is served: they are
    written into the version that there is.
    """

    ticker: str
    date: dt.date
    known_at: dt.datetime
    quality: str
    metadata: JsonObject
    is_version: bool


async def stored_bars(connection: AsyncConnection, tickers: Sequence[str], schema: pa.Schema) -> StoredBars:
    """Every stored bar of the tickers; `schema` is that of `bars`, its names are BAR_COLUMNS."""
    rows: list[Row[Any]] = []
    for some in in_lists(tickers):
        columns = (getattr(Bar, name) for name in (*BAR_COLUMNS, "source", "data_quality", "metadata_", "known_at"))
        query = select(*columns).where(Bar.ticker.in_(some)).order_by(Bar.ticker, Bar.date)
        rows += (await connection.execute(query)).all()
    columns_of = list(zip(*rows, strict=True)) or [()] * (len(BAR_COLUMNS) + 4)
    arrays = [pa.array(column, field.type) for column, field in zip(columns_of, schema, strict=False)]
    return StoredBars(
        bars=pa.Table.from_arrays(arrays, schema=schema),
        sources=columns_of[-4],
        qualities=columns_of[-3],
        metadata=columns_of[-2],
        known_at=columns_of[-1],
    )


async def store_verdicts(connection: AsyncConnection, verdicts: Sequence[NewVerdict], *, now: dt.datetime) -> int:
    """Store each verdict with its bar, unless that was changed meanwhile; returns how many were stored."""
    statement = (
        update(Bar)
        .where(
            Bar.ticker == bindparam("of_ticker"),
            Bar.date == bindparam("of_date"),
            Bar.known_at == bindparam("of_known_at", type_=UtcDateTime()),
        )
        .values(
            {
                Bar.data_quality: bindparam("quality"),
                Bar.metadata_: bindparam("told", type_=Bar.__table__.c.metadata.type),
                Bar.known_at: bindparam("moment", type_=UtcDateTime()),
                Bar.updated_at: bindparam("now", type_=UtcDateTime()),
            }
        )
    )
    n_stored = 0
    for verdict in verdicts:
        values = {
            "of_ticker": verdict.ticker,
            "of_date": verdict.date,
            "of_known_at": verdict.known_at,
            "quality": verdict.quality,
            "told": verdict.metadata,
            "moment": later_than(verdict.known_at, now) if verdict.is_version else verdict.known_at,
            "now": now,
        }
        n_stored += (await connection.execute(statement, values)).rowcount
    return n_stored
