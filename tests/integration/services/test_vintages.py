"""A real archive of dated files: prices as of a file's date are the rows that were published by then."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from aws.snapshots import load_manifest
from backend.database.connection import make_engine, transaction
from backend.database.migrations import migrate
from backend.database.models.market import Bar, SupersededBar
from backend.database.universes import UniverseRecord
from backend.database.visible_bars import visible_bars
from backend.ingest.sources.selection import make_source
from backend.services.ingest import IngestReport, ingest_universe
from backend.services.snapshots import build_snapshot
from support.stores import MemoryStore

FILE = "us_pystock_vintages_2015_2017.parquet"
#: The day before AEZS was consolidated 100 to 1. Its bar alone stands as traded among bars that the vendor divided
#: afterwards: an error of the unit, stored but not served.
BAD = ("AEZS", dt.date(2015, 11, 19))
VALUES = ["open", "high", "low", "close", "volume"]


@pytest.fixture
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    migrate(postgres_url)
    made = make_engine(postgres_url)
    yield made
    await made.dispose()


def universe_of(path: Path) -> UniverseRecord:
    return UniverseRecord(
        key="V",
        name="V",
        currency="USD",
        calendar="XNYS",
        benchmark=None,
        source="files",
        source_options={"path": str(path), "columns": {"file_date": "known_at"}},
    )


async def ingest(engine: AsyncEngine, path: Path) -> IngestReport:
    universe = universe_of(path)
    source = make_source(universe.source, universe.source_options)
    try:
        return await ingest_universe(engine, source, universe, is_full=True)
    finally:
        await source.close()


def end_of(day: pd.Timestamp) -> dt.datetime:
    """The moment at which a file of that day counts as published."""
    return dt.datetime.combine(day.date() + dt.timedelta(days=1), dt.time(), dt.UTC)


def published(rows: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """By pandas alone: of every (symbol, date) the row of the newest file up to that day."""
    known = rows[rows["file_date"] <= day].sort_values("file_date", kind="stable")
    newest = known.drop_duplicates(["symbol", "date"], keep="last")
    return newest.sort_values(["symbol", "date"])[["symbol", "date", *VALUES]].reset_index(drop=True)


async def visible(engine: AsyncEngine, as_of: dt.datetime) -> pd.DataFrame:
    bars = visible_bars(as_of)
    query = select(bars.c.ticker, bars.c.date, *(bars.c[name] for name in VALUES)).order_by(bars.c.ticker, bars.c.date)
    async with transaction(engine) as connection:
        rows = (await connection.execute(query)).all()
    return pd.DataFrame([tuple(row) for row in rows], columns=["symbol", "date", *VALUES])


def storable(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that keep the rules on single bars, by their definition, and were published no earlier than their date."""
    prices = rows[["open", "high", "low", "close"]]
    keep = prices.notna().all(axis=1) & (prices > 0).all(axis=1) & (rows["volume"] >= 0)
    keep &= (rows["low"] <= prices.min(axis=1)) & (rows["high"] >= prices.max(axis=1))
    keep &= pd.to_datetime(rows["date"]) <= rows["file_date"] + pd.Timedelta(days=2)
    return rows[keep & ~rows.duplicated(["symbol", "date", "file_date"])]


def without_bad(bars: pd.DataFrame) -> pd.DataFrame:
    return bars[(bars["symbol"] != BAD[0]) | (bars["date"] != BAD[1])].reset_index(drop=True)


@pytest.mark.shared_data
@pytest.mark.postgres
async def test_prices_as_of_ten_file_dates_are_the_rows_published_by_then(
    shared_data: Path, engine: AsyncEngine
) -> None:
    path = shared_data / "prices" / FILE
    rows = pd.read_parquet(path).astype(dict.fromkeys(VALUES, "float64") | {"symbol": "str"})
    report = await ingest(engine, path)
    assert report.rows_in == len(rows) == report.inserted + report.changed + report.unchanged + report.quarantined
    good = storable(rows)
    assert report.quarantined == len(rows) - len(good)
    days = good["file_date"].drop_duplicates().sort_values()
    for day in days.iloc[:: len(days) // 9].tolist()[:10]:
        found, expected = without_bad(await visible(engine, end_of(day))), without_bad(published(good, day))
        pd.testing.assert_frame_equal(found, expected, check_exact=True, check_dtype=False)
    async with transaction(engine) as connection:
        bad = (await connection.execute(select(Bar.ticker, Bar.date).where(Bar.data_quality == "bad"))).all()
    assert [tuple(row) for row in bad] == [BAD]
    again = await ingest(engine, path)
    assert (again.inserted, again.changed, again.unchanged) == (0, 0, report.rows_in - report.quarantined)
    async with transaction(engine) as connection:
        n_history = await connection.scalar(select(func.count()).select_from(SupersededBar))
    assert n_history == report.changed > 0


@pytest.mark.shared_data
@pytest.mark.postgres
async def test_a_snapshot_of_a_past_moment_is_the_one_that_was_built_then(
    shared_data: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    rows = pd.read_parquet(shared_data / "prices" / FILE)
    symbols = sorted(rows["symbol"].unique())[:8]
    rows = rows[rows["symbol"].isin(symbols)]
    cut = rows["file_date"].sort_values().iloc[len(rows) // 2]
    path = tmp_path / "archive.parquet"
    store = MemoryStore()
    rows[rows["file_date"] <= cut].to_parquet(path)
    await ingest(engine, path)
    then = await build_snapshot(engine, store, "V")
    rows.to_parquet(path)
    await ingest(engine, path)
    now = await build_snapshot(engine, store, "V")
    as_it_was = await build_snapshot(engine, store, "V", as_of=end_of(cut))
    assert now.snapshot_id != then.snapshot_id == as_it_was.snapshot_id
    assert (await load_manifest(store, then.snapshot_id)).as_of <= end_of(cut)
