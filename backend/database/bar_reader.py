"""Bars in bulk, for snapshots: one span of sessions at a time, as columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.versions import in_lists
from backend.database.visible_bars import visible_bars

VALUES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataClock:
    """What is known of some tickers: newest `known_at` (None: nothing), number of bars, and bars by quality."""

    known_at: dt.datetime | None
    n_bars: int
    quality: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanBars:
    """Bars as columns of one length; NaN where the source has no such field."""

    tickers: Sequence[str]
    dates: Sequence[dt.date]
    values: dict[str, NDArray[np.float64]]


async def data_clock(
    connection: AsyncConnection, tickers: Sequence[str], *, as_of: dt.datetime | None = None
) -> DataClock:
    """Newest moment of knowledge and counts of the tickers' bars as known at `as_of`."""
    bars = visible_bars(as_of)
    quality = {"good": 0, "suspect": 0}
    moments = []
    for some in in_lists(tickers):
        query = (
            select(bars.c.data_quality, func.count().label("n"), func.max(bars.c.known_at).label("known_at"))
            .where(bars.c.ticker.in_(some))
            .group_by(bars.c.data_quality)
        )
        for row in (await connection.execute(query)).all():
            quality[row.data_quality] += row.n
            moments.append(row.known_at)
    return DataClock(known_at=max(moments, default=None), n_bars=sum(quality.values()), quality=quality)


async def session_days(
    connection: AsyncConnection, tickers: Sequence[str], *, as_of: dt.datetime | None = None
) -> list[dt.date]:
    """Every date on which any of the tickers has a bar, increasing."""
    bars = visible_bars(as_of)
    days: set[dt.date] = set()
    for some in in_lists(tickers):
        days.update(await connection.scalars(select(bars.c.date).where(bars.c.ticker.in_(some)).distinct()))
    return sorted(days)


async def read_span(
    connection: AsyncConnection,
    tickers: Sequence[str],
    first: dt.date,
    last: dt.date,
    *,
    as_of: dt.datetime | None = None,
) -> SpanBars:
    """Bars of the tickers from `first` to `last`, both included, as known at `as_of`."""
    bars = visible_bars(as_of)
    rows: list[Row[Any]] = []
    for some in in_lists(tickers):
        query = select(bars.c.ticker, bars.c.date, *(bars.c[name] for name in VALUES)).where(
            bars.c.ticker.in_(some), bars.c.date >= first, bars.c.date <= last
        )
        rows += (await connection.execute(query)).all()
    columns = list(zip(*rows, strict=True)) or [()] * (2 + len(VALUES))
    return SpanBars(
        tickers=columns[0],
        dates=columns[1],
        values={name: np.array(column, dtype=np.float64) for name, column in zip(VALUES, columns[2:], strict=True)},
    )
