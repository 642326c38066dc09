"""A universe of two vendors: every bar keeps who gave it, and the run says who stood in for whom."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.actions import actions
from backend.database.connection import transaction
from backend.database.ingest_runs import FailureRecord, failures_of, reasons
from backend.database.models.market import Bar, CorporateAction
from backend.database.universes import UniverseRecord
from backend.ingest.errors import BadDataError, TickerNotFoundError
from backend.ingest.sources.contract import Fetched, FetchRequest
from backend.ingest.sources.fallback import FallbackSource
from backend.services.ingest import IngestReport, ingest_universe
from support.bars import DAY, Vendor, actions_of, bar

NOW = dt.datetime(2024, 1, 31, 22, tzinfo=dt.UTC)
DAYS = [DAY + dt.timedelta(days=number) for number in range(8)]
UNIVERSE = UniverseRecord(
    key="U", name="U", currency="USD", calendar="XNYS", benchmark=None, source="first,second", source_options={}
)


class First(Vendor):
    name = "first"

    async def fetch(self, request: FetchRequest) -> Fetched:
        found = await super().fetch(request)
        return Fetched(
            bars=found.bars, actions=found.actions, metadata={"currency": "USD", "first_trade_date": "1980-12-12"}
        )


class Second(Vendor):
    name = "second"


async def ingest(engine: AsyncEngine, first: Vendor, second: Vendor) -> IngestReport:
    source = FallbackSource([first, second])
    return await ingest_universe(engine, source, UNIVERSE, clock=lambda: NOW, tickers=["A", "B"], is_full=True)


async def stored(engine: AsyncEngine, ticker: str) -> list[tuple[int, float, str, dict[str, Any]]]:
    columns = (Bar.date, Bar.close, Bar.source, Bar.__table__.c.metadata)
    async with transaction(engine) as connection:
        rows = await connection.execute(select(*columns).where(Bar.ticker == ticker).order_by(Bar.date))
        return [(row.date.day, row.close, row.source, row.metadata) for row in rows]


def no(ticker: str) -> dict[str, Exception]:
    return {ticker: TickerNotFoundError("first", ticker, "unknown to the vendor")}


async def test_every_bar_and_action_keeps_the_source_that_gave_it(engine: AsyncEngine) -> None:
    split = actions_of([("B", DAY, "split", 2.0)])
    report = await ingest(engine, First([bar("A")], failures=no("B")), Second([bar("B", close=12.0)], actions=split))
    # What a vendor says of the company is not stored with every bar.
    assert await stored(engine, "A") == [(2, 11.0, "first", {})]
    assert await stored(engine, "B") == [(2, 12.0, "second", {"fallback_from": "first"})]
    async with transaction(engine) as connection:
        assert [action.kind for action in await actions(connection, ["B"])] == ["split"]
        assert list(await connection.scalars(select(CorporateAction.source))) == ["second"]
    assert (report.status, report.source, report.failed) == ("succeeded", "first,second", 0)


async def test_the_run_lists_who_stood_in_for_whom_and_why(engine: AsyncEngine) -> None:
    report = await ingest(engine, First([bar("A")], failures=no("B")), Second([bar("B")]))
    assert (report.failures, report.fallbacks, report.error) == ({}, {"NOT_FOUND": 1}, None)
    async with transaction(engine) as connection:
        found = await failures_of(connection, report.run_id)
    assert reasons(found) == (report.failures, report.fallbacks)
    assert found == [
        FailureRecord(
            ticker="B",
            date=None,
            error_class="NOT_FOUND",
            reason="unknown to the vendor",
            payload={"fell_back_to": "second"},
        )
    ]


async def test_a_ticker_that_nobody_gives_is_a_failure_and_no_fallback(engine: AsyncEngine) -> None:
    lasting = BadDataError("second", "B", "no rows")
    report = await ingest(engine, First([bar("A")], failures=no("B")), Second([], failures={"B": lasting}))
    assert (report.failures, report.fallbacks) == ({"NOT_FOUND": 1}, {})
    assert report.error == "first,second: B: first: NOT_FOUND: unknown to the vendor; second: BAD_DATA: no rows"


async def test_a_stand_in_with_other_prices_is_refused(engine: AsyncEngine) -> None:
    await ingest(engine, First([bar(ticker, day, 70.0) for ticker in "AB" for day in DAYS]), Second([]))
    # The second vendor divides B by a split of 7:1.
    standing_in = Second([bar("B", day, 10.0) for day in DAYS])
    report = await ingest(engine, First([bar("A", day, 70.0) for day in DAYS], failures=no("B")), standing_in)
    assert (report.status, report.failures, report.fallbacks) == ("partial", {"BAD_DATA": 1}, {})
    assert report.error is not None
    assert "8 of 8 closes differ" in report.error
    assert {source for _, _, source, _ in await stored(engine, "B")} == {"first"}


async def test_a_stand_in_fills_in_and_does_not_restate(engine: AsyncEngine) -> None:
    await ingest(engine, First([bar(ticker, day, 70.0) for ticker in "AB" for day in DAYS[:7]]), Second([]))
    # Vendors differ in volume, and by a rounding of the close; the eighth day is new.
    standing_in = Second([bar("B", day, 70.01, volume=999.0) for day in DAYS])
    report = await ingest(engine, First([bar("A", day, 70.0) for day in DAYS[:7]], failures=no("B")), standing_in)
    assert (report.rows_in, report.inserted, report.changed, report.unchanged) == (15, 1, 0, 14)
    assert [(close, source) for _, close, source, _ in await stored(engine, "B")] == [(70.0, "first")] * 7 + [
        (70.01, "second")
    ]
    # When the first is back, what it says holds.
    report = await ingest(engine, First([bar(ticker, day, 70.0) for ticker in "AB" for day in DAYS]), Second([]))
    assert (report.inserted, report.changed, report.unchanged, report.fallbacks) == (1, 1, 14, {})
    assert (await stored(engine, "B"))[-1] == (9, 70.0, "first", {})
