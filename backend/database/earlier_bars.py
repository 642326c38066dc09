"""The bars before those that are about to be stored, which a verdict on them may depend on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.bar_staging import BAR_COLUMNS
from backend.database.models.market import Bar
from backend.database.versions import in_lists


async def earlier_bars(
    connection: AsyncConnection, firsts: Mapping[str, dt.date], schema: pa.Schema, *, days: int
) -> dict[str, pa.Table]:
    """Stored bars of each ticker on the calendar `days` before its date, of any quality, by increasing date.

    Parameters
    ----------
    firsts : mapping of str to date
        First date of each ticker that is about to be stored.
    schema : pa.Schema
        Of the tables that are returned; its names are BAR_COLUMNS. Tickers without earlier bars are left out.
    """
    found: dict[str, list[Row[Any]]] = {}
    for some in in_lists(sorted(firsts)):
        earliest = min(firsts[ticker] for ticker in some) - dt.timedelta(days=days)
        latest = max(firsts[ticker] for ticker in some)
        query = (
            select(*(getattr(Bar, name) for name in BAR_COLUMNS))
            .where(Bar.ticker.in_(some), Bar.date >= earliest, Bar.date < latest)
            .order_by(Bar.ticker, Bar.date)
        )
        for row in (await connection.execute(query)).all():
            if firsts[row.ticker] - dt.timedelta(days=days) <= row.date < firsts[row.ticker]:
                found.setdefault(row.ticker, []).append(row)
    return {ticker: _table(rows, schema) for ticker, rows in found.items()}


async def flagged_tickers(connection: AsyncConnection, firsts: Mapping[str, dt.date], *, days: int) -> set[str]:
    """Tickers with a stored bar that is not good on the calendar `days` from its date on.

    Parameters
    ----------
    firsts : mapping of str to date
        First date of each ticker that is about to be stored.
    """
    found: set[str] = set()
    for some in in_lists(sorted(firsts)):
        earliest = min(firsts[ticker] for ticker in some)
        latest = max(firsts[ticker] for ticker in some) + dt.timedelta(days=days)
        query = select(Bar.ticker, Bar.date).where(
            Bar.ticker.in_(some), Bar.date >= earliest, Bar.date < latest, Bar.data_quality != "good"
        )
        for row in (await connection.execute(query)).all():
            if firsts[row.ticker] <= row.date < firsts[row.ticker] + dt.timedelta(days=days):
                found.add(row.ticker)
    return found


def _table(rows: Sequence[Row[Any]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
