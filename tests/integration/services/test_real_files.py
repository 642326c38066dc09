"""Every real file of prices, whole: rows in = stored + unchanged + quarantined, the last as pandas counts them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import make_engine, transaction
from backend.database.migrations import migrate
from backend.database.models.market import Bar, SupersededBar
from backend.database.universes import UniverseRecord
from backend.ingest.sources.selection import make_source
from backend.services.ingest import IngestReport, ingest_universe

FILES = {
    "prices/etf_2006_2026": ("USD", "XNYS"),
    "prices/fx_crypto_2006_2026": ("USD", "24/7"),
    "prices/asx_yahoo_1988_2016": ("AUD", "XASX"),
    "prices/us_sp500_kaggle_2013_2018": ("USD", "XNYS"),
    "prices/us_sp500_yahoo_2005_2021": ("USD", "XNYS"),
    "macro/vix_daily": ("USD", "XNYS"),
}


@pytest.fixture
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    migrate(postgres_url)
    made = make_engine(postgres_url)
    yield made
    await made.dispose()


async def ingest(engine: AsyncEngine, path: Path, currency: str, calendar: str) -> IngestReport:
    universe = UniverseRecord(
        key="FILE",
        name="FILE",
        currency=currency,
        calendar=calendar,
        benchmark=None,
        source="files",
        source_options={"path": str(path)},
    )
    source = make_source(universe.source, universe.source_options)
    try:
        return await ingest_universe(engine, source, universe, is_full=True)
    finally:
        await source.close()


def storable(rows: pd.DataFrame) -> pd.Series:
    """Whether each row keeps the rules on single bars, by their definition."""
    prices = rows[["open", "high", "low", "close"]].astype("float64")
    keep = prices.notna().all(axis=1) & (prices > 0).all(axis=1)
    keep &= (rows["low"] <= prices.min(axis=1)) & (rows["high"] >= prices.max(axis=1))
    if "volume" in rows:
        keep &= rows["volume"] >= 0
    return keep & ~rows[keep].duplicated(["symbol", "date"]).reindex(rows.index, fill_value=False)


@pytest.mark.shared_data
@pytest.mark.postgres
@pytest.mark.parametrize("name", FILES)
async def test_every_row_of_a_real_file_is_accounted_for(name: str, shared_data: Path, engine: AsyncEngine) -> None:
    path = shared_data / f"{name}.parquet"
    rows = pd.read_parquet(path)
    report = await ingest(engine, path, *FILES[name])
    n_good = int(storable(rows).sum())
    assert (report.rows_in, report.inserted, report.quarantined) == (len(rows), n_good, len(rows) - n_good)
    assert (report.changed, report.unchanged, report.failed) == (0, 0, 0)
    async with transaction(engine) as connection:
        stored = (await connection.execute(select(func.count(), func.max(Bar.updated_at)))).one()
    assert stored[0] == n_good
    again = await ingest(engine, path, *FILES[name])
    assert (again.inserted, again.changed, again.unchanged) == (0, 0, n_good)
    async with transaction(engine) as connection:
        assert (await connection.execute(select(func.count(), func.max(Bar.updated_at)))).one() == stored
        assert await connection.scalar(select(func.count()).select_from(SupersededBar)) == 0
