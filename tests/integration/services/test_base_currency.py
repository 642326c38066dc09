"""A backtest of US dollars kept in Australian ones, by hand, from files through the database and two snapshots."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from aws.s3_cache import ObjectStore, open_cache
from backend.database.connection import make_engine
from backend.database.migrations import migrate
from backend.database.universes import UniverseRecord
from backend.ingest.sources.files import FilesSource
from backend.services.backtests import BacktestRequest, resolved_spec, run_backtest
from backend.services.errors import RequestError
from backend.services.ingest import ingest_universe
from backend.services.panels import panels_of
from backend.services.snapshots import build_snapshot
from strategy.backtest.costs import CostModel
from strategy.backtest.spec import Execution
from strategy.errors import MissingRateError

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
#: Monday to Thursday of one week, and US dollars for one Australian: known from the Friday before.
STOCK = {"2020-01-06": 10.0, "2020-01-07": 10.0, "2020-01-08": 11.0, "2020-01-09": 12.0}
AUDUSD = {"2020-01-03": 0.4, "2020-01-06": 0.5, "2020-01-07": 0.8, "2020-01-08": 0.5, "2020-01-09": 0.6}
REQUEST = BacktestRequest(
    strategy="equal_weight",
    universe="US",
    base_currency="AUD",
    costs=CostModel(fx_margin_bps=100),
    execution=Execution(fill="next_close", rebalance="once", initial_cash=1_000.0),
)


def write(path: Path, symbol: str, closes: dict[str, float]) -> Path:
    frame = pd.DataFrame({"date": list(closes), "close": list(closes.values())})
    for name in ("open", "high", "low"):
        frame[name] = frame["close"]
    frame.assign(symbol=symbol, volume=0.0 if symbol == "AUDUSD" else 1e6).to_csv(path, index=False)
    return path


async def build(engine: AsyncEngine, store: ObjectStore, path: Path, key: str, *, kind: str, calendar: str) -> None:
    universe = UniverseRecord(
        key=key,
        name=key,
        kind=kind,
        currency="USD",
        calendar=calendar,
        benchmark=None,
        source="files",
        source_options={},
    )
    ticker = "AUDUSD" if kind == "fx" else "AAA"
    await ingest_universe(engine, FilesSource(path), universe, clock=lambda: NOW, tickers=[ticker])
    await build_snapshot(engine, store, key)


@pytest.fixture
async def engine(sqlite_url: str, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    migrate(sqlite_url)
    made = make_engine(sqlite_url)
    stock = write(tmp_path / "stock.csv", "AAA", STOCK)
    await build(made, open_cache(str(tmp_path / "cache")), stock, "US", kind="equity", calendar="XNYS")
    yield made
    await made.dispose()


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return open_cache(str(tmp_path / "cache"))


async def with_rates(engine: AsyncEngine, store: ObjectStore, folder: Path, rates: dict[str, float]) -> None:
    path = write(folder / "pairs.csv", "AUDUSD", rates)
    await build(engine, store, path, "FX", kind="fx", calendar="24/5")


async def test_a_result_in_australian_dollars_is_that_by_hand(
    engine: AsyncEngine, store: ObjectStore, tmp_path: Path
) -> None:
    await with_rates(engine, store, tmp_path, AUDUSD)
    found = json.loads((await run_backtest(engine, store, REQUEST, origin="cli")).document)
    # 10 / 0.8 = AUD 12.50 on Tuesday, and 1 % for the conversion: 1,000 / 12.625 shares; 12 / 0.6 = 20 on Thursday.
    assert found["books"]["final_equity"] == pytest.approx(1_000 / 12.625 * 20)
    assert found["books"]["costs"] == pytest.approx(1_000 / 1.01 * 0.01)
    assert found["spec"]["base_currency"] == "AUD"
    assert len(found["spec"]["fx_snapshot"]) == 64
    benchmark = next(item["value"] for item in found["metrics"] if item["key"] == "benchmark_return")
    assert benchmark == pytest.approx(20 / 12.5 - 1)


async def test_decisions_see_the_rates_of_the_day_before(
    engine: AsyncEngine, store: ObjectStore, tmp_path: Path
) -> None:
    await with_rates(engine, store, tmp_path, AUDUSD)
    panels = await panels_of(store, await resolved_spec(engine, store, REQUEST))
    assert panels.panel.close_prices[:, 0].tolist() == pytest.approx([10 / 0.5, 10 / 0.8, 11 / 0.5, 12 / 0.6])
    assert panels.decided_on.close_prices[:, 0].tolist() == pytest.approx([10 / 0.4, 10 / 0.5, 11 / 0.8, 12 / 0.5])


async def test_the_universes_own_currency_needs_no_rates_and_is_the_same_spec(
    engine: AsyncEngine, store: ObjectStore
) -> None:
    own = await resolved_spec(engine, store, replace(REQUEST, base_currency="USD", fx_snapshot="0" * 64))
    assert own == await resolved_spec(engine, store, replace(REQUEST, base_currency=None))
    assert own.fx_snapshot is None


async def test_a_currency_without_rates_is_refused_with_the_known_ones(
    engine: AsyncEngine, store: ObjectStore, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match="no snapshot of FX: ingest currency pairs"):
        await resolved_spec(engine, store, REQUEST)
    await with_rates(engine, store, tmp_path, AUDUSD)
    with pytest.raises(RequestError, match="known are AUD, USD"):
        await resolved_spec(engine, store, replace(REQUEST, base_currency="CHF"))


async def test_a_span_without_a_rate_is_refused_and_not_taken_for_delisted(
    engine: AsyncEngine, store: ObjectStore, tmp_path: Path
) -> None:
    await with_rates(engine, store, tmp_path, {day: rate for day, rate in AUDUSD.items() if day > "2020-01-06"})
    with pytest.raises(MissingRateError, match="is known on 2020-01-06"):
        await run_backtest(engine, store, REQUEST, origin="cli")
