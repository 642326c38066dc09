"""Two sources of one ticker: they agree, or the later one is refused for that ticker."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import transaction
from backend.database.ingest_runs import failures_of
from backend.database.models.market import Bar
from backend.database.universes import UniverseRecord
from backend.services.ingest import IngestReport, ingest_universe
from backend.services.ingest_basis import LEAST_OVERLAP
from support.bars import DAY, Row, Vendor, bar

NOW = dt.datetime(2024, 1, 31, 22, tzinfo=dt.UTC)
#: More sessions than must overlap: eight days from 2024-01-02.
DAYS = [DAY + dt.timedelta(days=number) for number in range(8)]


class OtherVendor(Vendor):
    name = "other"


def series(ticker: str, close: float, days: list[dt.date] = DAYS) -> list[Row]:
    return [bar(ticker, day, close) for day in days]


async def ingest(engine: AsyncEngine, source: Vendor) -> IngestReport:
    universe = UniverseRecord(
        key=source.name, name="", currency="USD", calendar="XNYS", benchmark=None, source=source.name, source_options={}
    )
    return await ingest_universe(engine, source, universe, clock=lambda: NOW, is_full=True)


async def stored(engine: AsyncEngine, ticker: str) -> set[tuple[float, str]]:
    async with transaction(engine) as connection:
        rows = await connection.execute(select(Bar.close, Bar.source).where(Bar.ticker == ticker))
        return {(row.close, row.source) for row in rows}


async def test_prices_adjusted_for_a_split_do_not_mix_with_prices_as_traded(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(series("A", 70.0) + series("B", 30.0)))
    # A was split 7:1 later on, and the other source divides by it; of B the two say the same.
    report = await ingest(engine, OtherVendor(series("A", 10.0) + series("B", 30.0)))
    assert (report.status, report.failed, report.unchanged, report.changed) == ("partial", 1, 8, 0)
    assert report.rows_in == report.inserted + report.changed + report.unchanged + report.quarantined
    assert await stored(engine, "A") == {(70.0, "vendor")}
    async with transaction(engine) as connection:
        (failure,) = await failures_of(connection, report.run_id)
    assert (failure.ticker, failure.date, failure.error_class) == ("A", None, "BAD_DATA")
    assert "8 of 8 closes" in failure.reason
    assert report.error == f"other: A: {failure.reason}"
    assert "'vendor'" in failure.reason


@pytest.mark.parametrize(
    ("other", "days"),
    [
        pytest.param(70.6, DAYS, id="rounding"),  # less than 1 % more
        pytest.param(10.0, DAYS[: LEAST_OVERLAP - 1], id="too few to compare"),
    ],
)
async def test_what_may_be_the_same_is_taken(engine: AsyncEngine, other: float, days: list[dt.date]) -> None:
    await ingest(engine, Vendor(series("A", 70.0)))
    report = await ingest(engine, OtherVendor(series("A", other, days)))
    assert (report.status, report.changed) == ("succeeded", len(days))


async def test_half_of_the_closes_may_be_corrections(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(series("A", 70.0)))
    report = await ingest(engine, OtherVendor(series("A", 70.0, DAYS[:4]) + series("A", 10.0, DAYS[4:])))
    assert (report.status, report.unchanged, report.changed) == ("succeeded", 4, 4)


async def test_a_source_may_restate_itself_as_it_likes(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(series("A", 70.0)))
    report = await ingest(engine, Vendor(series("A", 10.0)))
    assert (report.status, report.changed) == ("succeeded", 8)
