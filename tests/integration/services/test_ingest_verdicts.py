"""Verdicts at ingest: stored with the bars, and the same whether a run fetched everything or a few days."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import transaction
from backend.database.models.market import Bar
from backend.database.universes import UniverseRecord
from backend.ingest.sources.contract import Fetched, FetchRequest
from backend.services.ingest import ingest_universe
from support.bars import DAY, Row, Vendor, actions_of, bar

NOW = dt.datetime(2024, 6, 3, 22, tzinfo=dt.UTC)
UNIVERSE = UniverseRecord(
    key="U", name="U", currency="USD", calendar="XNYS", benchmark=None, source="vendor", source_options={}
)

Verdict = tuple[str, list[str]]


def days(n: int) -> list[dt.date]:
    return [DAY + dt.timedelta(days=number) for number in range(n)]


def series(closes: list[float], *, spread: float = 0.01) -> list[Row]:
    return [
        bar(date=day, close=close, open=close, high=close * (1 + spread), low=close * (1 - spread))
        for day, close in zip(days(len(closes)), closes, strict=True)
    ]


async def ingest(engine: AsyncEngine, rows: list[Row], *, actions: pa.Table | None = None) -> Vendor:
    vendor = Vendor(rows, actions=actions)
    await ingest_universe(engine, vendor, UNIVERSE, clock=lambda: NOW, lookback_days=3)
    return vendor


async def verdicts_of(engine: AsyncEngine) -> dict[dt.date, Verdict]:
    async with transaction(engine) as connection:
        rows = (await connection.execute(select(Bar.date, Bar.data_quality, Bar.metadata_))).all()
    return {row.date: (row.data_quality, row.metadata.get("rules", [])) for row in rows}


async def test_a_price_that_is_a_hundred_times_too_high_is_stored_as_bad(engine: AsyncEngine) -> None:
    closes = [50.0 + number % 3 for number in range(20)]
    closes[12] *= 100
    await ingest(engine, series(closes))
    found = await verdicts_of(engine)
    assert found.pop(days(20)[12]) == ("bad", ["unit_error"])
    assert set(map(str, found.values())) == {"('good', [])"}


async def test_a_repeated_close_is_stale_although_the_daily_run_fetched_only_the_end_of_the_run(
    engine: AsyncEngine,
) -> None:
    rows = series([11.0] * 7, spread=0.0)
    await ingest(engine, rows[:5])
    vendor = await ingest(engine, rows)
    # The second run fetched the last three days again, not the seven that the rule looks at.
    assert vendor.requests == [FetchRequest(ticker="A", start=days(5)[1], end=None)]
    found = await verdicts_of(engine)
    assert [found[day][1] for day in days(7)] == [[]] * 5 + [["stale_close"]] * 2


async def test_a_split_that_the_vendor_applies_late_is_told_from_a_jump_by_the_split_stored_before(
    engine: AsyncEngine,
) -> None:
    # 2:1 on the 21st day, but until the 23rd the prices are those of the old shares.
    closes = [100.0 + number % 2 for number in range(23)] + [50.0] * 2
    await ingest(engine, series(closes[:21]), actions=actions_of([("A", days(21)[20], "split", 2.0)]))
    await ingest(engine, series(closes))
    found = await verdicts_of(engine)
    assert [day for day, verdict in found.items() if verdict == ("bad", ["bad_split"])] == days(23)[20:]
    assert sum(quality == "good" for quality, _ in found.values()) == 22


async def test_a_daily_run_comes_to_the_verdicts_of_a_full_one(engine: AsyncEngine) -> None:
    random = np.random.default_rng(5)
    closes = 50 * np.exp(np.cumsum(random.normal(0, 0.01, 80)))
    closes[60] *= 100
    closes[70:] *= 0.5
    rows = series(closes.tolist())
    for stop in range(55, 81):
        await ingest(engine, rows[:stop])
    daily = await verdicts_of(engine)
    assert daily[days(80)[60]] == ("bad", ["unit_error"])
    assert daily[days(80)[70]] == ("suspect", ["jump_without_action"])
    assert sum(quality != "good" for quality, _ in daily.values()) == 2


async def test_a_verdict_stands_when_a_later_run_fetches_the_bar_first_of_all(engine: AsyncEngine) -> None:
    rows = series([50.0, 50.5] * 5 + [25.0, 25.25] * 2)
    for stop in (11, 12, 13, 14):
        await ingest(engine, rows[:stop])
    # This run fetches from the day of the jump on, and changes that bar, so that its verdict is written again.
    rows[10]["volume"] = 2_000.0
    vendor = await ingest(engine, rows)
    assert vendor.requests == [FetchRequest(ticker="A", start=days(14)[10], end=None)]
    found = await verdicts_of(engine)
    assert {day: verdict for day, verdict in found.items() if verdict != ("good", [])} == {
        days(14)[10]: ("suspect", ["jump_without_action"])
    }


async def test_prices_in_another_currency_than_the_universe_s_are_bad(engine: AsyncEngine) -> None:
    class InPence(Vendor):
        async def fetch(self, request: FetchRequest) -> Fetched:
            return replace(await super().fetch(request), metadata={"currency": "GBp"})

    pounds = replace(UNIVERSE, currency="GBP")
    await ingest_universe(engine, InPence(series([11.0, 11.1])), pounds, clock=lambda: NOW)
    assert set(map(str, (await verdicts_of(engine)).values())) == {"('bad', ['wrong_currency'])"}
