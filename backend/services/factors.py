"""Importing factor files, and reading what is known of them at a moment."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.database.connection import transaction
from backend.database.factors import FactorDataset, FactorQuery, factor_datasets, put_factors, read_factors
from backend.services.clock import utc_now
from backend.services.errors import RequestError

_DATASET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorImport:
    """What an import did: `new`, `changed`, `withdrawn` and `unchanged` count values."""

    dataset: str
    location: str
    unit: str
    known_at: dt.datetime
    new: int
    changed: int
    withdrawn: int
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorPage:
    """Values sorted by date and name, and how much there is of every name."""

    rows: list[tuple[dt.date, str, float]]
    names: list[FactorDataset]
    has_more: bool


async def import_factors(
    engine: AsyncEngine, location: str, *, dataset: str, clock: Callable[[], dt.datetime] = utc_now
) -> FactorImport:
    """Read a factor file and append what is new in it; harmless to repeat.

    Raises
    ------
    RequestError
        If the dataset has no proper name.
    SourceError, SourceSettingsError
        If the file cannot be had or understood.
    """
    from backend.ingest.factors.reading import read_factors as read_file  # noqa: PLC0415  httpx, not for queries

    if not _DATASET.fullmatch(dataset):
        raise RequestError("dataset", dataset, "up to 80 letters, digits, dots, dashes, underscores; for example ff5")
    found = await read_file(location, dataset=dataset)
    known_at = clock()
    async with transaction(engine) as connection:
        counts = await put_factors(connection, found.table, source=location, known_at=known_at)
    return FactorImport(
        dataset=dataset,
        location=location,
        unit=found.unit,
        known_at=known_at,
        new=counts.new,
        changed=counts.changed,
        withdrawn=counts.withdrawn,
        unchanged=counts.unchanged,
    )


async def factor_page(connection: AsyncConnection, query: FactorQuery) -> FactorPage:
    """Values of a dataset; `RequestError` when nothing was known of it, or of a name, at that moment."""
    names = await factor_datasets(connection, as_of=query.as_of, dataset=query.dataset)
    if not names:
        known = sorted({item.dataset for item in await factor_datasets(connection, as_of=query.as_of)})
        reason = f"nothing was known of it then; known are {', '.join(known) or 'none'}"
        raise RequestError("dataset", query.dataset, reason)
    for name in query.names or ():
        if name not in {item.name for item in names}:
            raise RequestError("names", name, f"the names are {', '.join(item.name for item in names)}")
    rows = await read_factors(connection, replace(query, limit=query.limit + 1))
    return FactorPage(rows=rows[: query.limit], names=names, has_more=len(rows) > query.limit)
