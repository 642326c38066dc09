"""First and last stored session of tickers, each found by one look into the index, however long their history is."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Literal

from sqlalchemy import Date, Text, column, text
from sqlalchemy.ext.asyncio import AsyncConnection

_EDGES = """
    SELECT asked.ticker, (SELECT {edge}(date) FROM market_data WHERE market_data.ticker = asked.ticker) AS date
    FROM {asked}"""
_ASKED = {
    "postgresql": "unnest(CAST(:tickers AS text[])) AS asked (ticker)",
    "sqlite": "(SELECT value AS ticker FROM json_each(:tickers)) AS asked",
}


async def newest_dates(connection: AsyncConnection, tickers: Sequence[str]) -> dict[str, dt.date]:
    """Last stored session of each ticker that has any."""
    return await _edge_dates(connection, tickers, "max")


async def oldest_dates(connection: AsyncConnection, tickers: Sequence[str]) -> dict[str, dt.date]:
    """First stored session of each ticker that has any."""
    return await _edge_dates(connection, tickers, "min")


async def _edge_dates(
    connection: AsyncConnection, tickers: Sequence[str], edge: Literal["min", "max"]
) -> dict[str, dt.date]:
    dialect = connection.dialect.name
    query = text(_EDGES.format(edge=edge, asked=_ASKED[dialect])).columns(column("ticker", Text), column("date", Date))
    asked = json.dumps(list(tickers)) if dialect == "sqlite" else list(tickers)
    rows = (await connection.execute(query, {"tickers": asked})).all()
    return {row.ticker: row.date for row in rows if row.date is not None}
