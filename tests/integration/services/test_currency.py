"""Twenty years of SPY in Australian dollars, from files through the database and two snapshots."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from aws.s3_cache import ObjectStore, open_cache
from backend.database.connection import make_engine, transaction
from backend.database.instruments import instruments
from backend.database.migrations import migrate
from backend.database.universes import UniverseRecord
from backend.ingest.sources.files import FilesSource
from backend.services.currency import in_base_currency
from backend.services.ingest import ingest_universe
from backend.services.snapshots import build_snapshot
from strategy.fast_data_loader import load_panel

pytestmark = pytest.mark.shared_data

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
PRICES, PAIRS = "etf_2006_2026.parquet", "fx_crypto_2006_2026.parquet"


async def snapshot_of(
    engine: AsyncEngine, store: ObjectStore, universe: UniverseRecord, path: Path, tickers: list[str]
) -> str:
    await ingest_universe(engine, FilesSource(path), universe, clock=lambda: NOW, tickers=tickers)
    return (await build_snapshot(engine, store, universe.key)).snapshot_id


def universe_of(key: str, kind: str, calendar: str) -> UniverseRecord:
    return UniverseRecord(
        key=key,
        name=key,
        kind=kind,
        currency="USD",
        calendar=calendar,
        benchmark=None,
        source="files",
        source_options={},
    )


async def test_spy_in_australian_dollars_is_what_pandas_makes_of_the_files(
    shared_data: Path, sqlite_url: str, tmp_path: Path
) -> None:
    migrate(sqlite_url)
    engine, store = make_engine(sqlite_url), open_cache(str(tmp_path / "cache"))
    folder = shared_data / "prices"
    etfs = await snapshot_of(engine, store, universe_of("ETFS", "etf", "XNYS"), folder / PRICES, ["SPY"])
    fx = await snapshot_of(engine, store, universe_of("FX", "fx", "24/5"), folder / PAIRS, ["AUDUSD"])
    async with transaction(engine) as connection:
        assert (await instruments(connection, ["AUDUSD"]))["AUDUSD"].kind == "fx"
    await engine.dispose()
    panel = await load_panel(store, etfs)
    found = await in_base_currency(store, panel, currencies=["USD"], base="AUD", fx_snapshot=fx)
    assert await in_base_currency(store, panel, currencies=["USD"], base="USD", fx_snapshot="none") is panel

    closes, rates = closes_of(folder / PRICES, "SPY"), closes_of(folder / PAIRS, "AUDUSD")
    joined = pd.merge_asof(closes, rates, on="date", suffixes=("", "_fx"), tolerance=pd.Timedelta(days=7))
    expected = (joined["close"] / joined["close_fx"]).to_numpy()
    assert found.close_prices.shape == (5047, 1)
    # AUDUSD ends on 2026-08-13, SPY on the 21st: by then the last rate is too old.
    assert int(np.isnan(expected).sum()) == 1
    np.testing.assert_allclose(found.close_prices[:, 0], expected, rtol=1e-12)


def closes_of(path: Path, symbol: str) -> pd.DataFrame:
    frame = pd.read_parquet(path)
    frame = frame[frame["symbol"] == symbol]
    return frame.assign(date=pd.to_datetime(frame["date"])).sort_values("date")[["date", "close"]]
