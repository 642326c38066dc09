"""Series that are no prices, in append-only versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.models.market import Factor
from backend.database.versions import later_than

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows of one INSERT.
_BATCH = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorCounts:
    """Values of one import: their sum is the number of values given, missing ones that were never there left out."""

    new: int
    changed: int
    withdrawn: int
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorDataset:
    """How much there is of a dataset."""

    dataset: str
    name: str
    first: dt.date
    last: dt.date
    n_values: int
    known_at: dt.datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorQuery:
    """Values of a dataset as known at `as_of`; `names` None: all. `after` is the last (date, name) of a page before."""

    dataset: str
    as_of: dt.datetime
    names: Sequence[str] | None = None
    start: dt.date | None = None
    end: dt.date | None = None
    after: tuple[dt.date, str] | None = None
    limit: int


async def put_factors(
    connection: AsyncConnection, table: pa.Table, *, source: str, known_at: dt.datetime
) -> FactorCounts:
    """Append the values that are new or other than known so far.

    Parameters
    ----------
    connection : AsyncConnection
        In a transaction, which the caller commits.
    table : pa.Table
        Columns dataset, name, date and value, each (dataset, name, date) once. A null withdraws a known value.
    source : str
        Stored with every version.
    known_at : datetime
        A changed value gets a later moment where its old version has that or a later one.
    """
    known: dict[tuple[str, str, dt.date], tuple[float | None, dt.datetime]] = {}
    for dataset in sorted(set(table["dataset"].to_pylist())):
        query = _newest(None, dataset)
        for row in (await connection.execute(query)).all():
            known[row.dataset, row.name, row.date] = (row.value, row.known_at)
    rows, counts = [], {"new": 0, "changed": 0, "withdrawn": 0, "unchanged": 0}
    for row in table.to_pylist():
        before, moment = known.get((row["dataset"], row["name"], row["date"]), (None, None))
        fate = _fate(before, row["value"])
        if fate is None:
            continue
        counts[fate] += 1
        if fate != "unchanged":
            rows.append(row | {"known_at": later_than(moment, known_at), "source": source})
    for begin in range(0, len(rows), _BATCH):
        await connection.execute(insert(Factor), rows[begin : begin + _BATCH])
    return FactorCounts(**counts)


async def read_factors(connection: AsyncConnection, query: FactorQuery) -> list[tuple[dt.date, str, float]]:
    """Date, name and value, sorted by date and name, at most `limit`; withdrawn values are left out."""
    newest = _newest(query.as_of, query.dataset).subquery().c
    wanted = select(newest.date, newest.name, newest.value).where(newest.value.is_not(None))
    if query.names is not None:
        wanted = wanted.where(newest.name.in_(query.names))
    if query.start is not None:
        wanted = wanted.where(newest.date >= query.start)
    if query.end is not None:
        wanted = wanted.where(newest.date <= query.end)
    if query.after is not None:
        date, name = query.after
        wanted = wanted.where((newest.date > date) | ((newest.date == date) & (newest.name > name)))
    rows = await connection.execute(wanted.order_by(newest.date, newest.name).limit(query.limit))
    return [(row.date, row.name, row.value) for row in rows]


async def factor_datasets(
    connection: AsyncConnection, *, as_of: dt.datetime, dataset: str | None = None
) -> list[FactorDataset]:
    """How much there is of each name of each dataset, or of one, as known at `as_of`."""
    newest = _newest(as_of, dataset).subquery().c
    query = (
        select(
            newest.dataset,
            newest.name,
            func.min(newest.date).label("first"),
            func.max(newest.date).label("last"),
            func.count().label("n_values"),
            func.max(newest.known_at).label("known_at"),
            func.max(newest.source).label("source"),
        )
        .where(newest.value.is_not(None))
        .group_by(newest.dataset, newest.name)
        .order_by(newest.dataset, newest.name)
    )
    return [FactorDataset(**row._mapping) for row in (await connection.execute(query)).all()]


def _fate(before: float | None, value: float | None) -> str | None:
    if value is None:
        return None if before is None else "withdrawn"
    if before is None:
        return "new"
    return "unchanged" if before == value else "changed"


def _newest(as_of: dt.datetime | None, dataset: str | None) -> Select[tuple[object, ...]]:
    """The newest version of each value known at a moment (None: now), withdrawn ones included."""
    place = func.row_number().over(
        partition_by=(Factor.dataset, Factor.name, Factor.date), order_by=Factor.known_at.desc()
    )
    known = select(Factor.__table__, place.label("place"))
    if as_of is not None:
        known = known.where(Factor.known_at <= as_of)
    if dataset is not None:
        known = known.where(Factor.dataset == dataset)
    ranked = known.subquery()
    return select(ranked).where(ranked.c.place == 1)
