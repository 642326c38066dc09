"""A source against what is stored: equal, near, different, and by which factor."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import make_engine
from backend.database.migrations import migrate
from backend.database.universes import UniverseRecord
from backend.ingest.errors import TickerNotFoundError
from backend.services.ingest import ingest_universe
from backend.services.reconciliation import FieldComparison, TickerComparison, compared, reconcile
from support.bars import DAY, Row, Vendor, bar, bars_of

NOW = dt.datetime(2024, 6, 3, 22, tzinfo=dt.UTC)
UNIVERSE = UniverseRecord(
    key="U", name="U", currency="USD", calendar="XNYS", benchmark=None, source="vendor", source_options={}
)


@pytest.fixture
async def engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    migrate(sqlite_url)
    made = make_engine(sqlite_url)
    yield made
    await made.dispose()


def day(number: int) -> dt.date:
    return DAY + dt.timedelta(days=number)


def bars(n: int, ticker: str = "A", **changes: object) -> list[Row]:
    return [bar(ticker, day(number), 100.0 + number) | changes for number in range(n)]


def close_of(comparison: TickerComparison) -> FieldComparison:
    (found,) = (item for item in comparison.fields if item.field == "close")
    return found


def test_a_source_agrees_with_itself() -> None:
    found = compared("A", bars_of(bars(10)), bars_of(bars(10)))
    assert (found.both, found.only_stored, found.only_other, found.factor) == (10, 0, 0, None)
    assert {(item.equal, item.near, item.different) for item in found.fields} == {(10, 0, 0)}


def test_values_are_equal_near_or_different_and_may_be_missing_on_either_side() -> None:
    # 1 % of 100 is near, a little more is not.
    theirs = [100.0, 101.0, 101.01, None, 100.0]
    ours = [100.0, 100.0, 100.0, 100.0, None]
    stored = [row | {"adjusted_close": value} for row, value in zip(bars(5), ours, strict=True)]
    other = [row | {"adjusted_close": value} for row, value in zip(bars(5), theirs, strict=True)]
    found = compared("A", bars_of(stored), bars_of(other)).fields[-1]
    assert found == FieldComparison(field="adjusted_close", equal=1, near=1, different=1, only_stored=1, only_other=1)


def test_a_session_of_one_source_counts_only_within_the_span_of_both() -> None:
    stored, other = bars(10), bars(12)[3:]
    del stored[5], other[4]  # days 5 and 7
    found = compared("A", bars_of(stored), bars_of(other))
    assert (found.both, found.only_stored, found.only_other) == (5, 1, 1)


def test_sources_without_a_common_session_have_nothing_to_compare() -> None:
    found = compared("A", bars_of(bars(3)), bars_of(bars(9)[5:]))
    assert (found.both, found.only_stored, found.only_other, found.fields) == (0, 3, 4, ())


def test_a_split_that_one_source_has_adjusted_for_is_found_as_a_factor_until_its_day() -> None:
    other = [row | {"close": row["close"] / 4} if row["date"] < day(12) else row for row in bars(20)]
    found = compared("A", bars_of(bars(20)), bars_of(other))
    assert found.factor is not None
    assert found.factor.ratio == pytest.approx(0.25)
    assert (found.factor.bars, found.factor.first, found.factor.last) == (12, day(0), day(11))
    assert close_of(found).different == 12


def test_differences_without_a_common_factor_have_none() -> None:
    other = [row | {"close": row["close"] * (1.1 + 0.1 * number)} for number, row in enumerate(bars(20))]
    assert compared("A", bars_of(bars(20)), bars_of(other)).factor is None


def test_four_sessions_are_too_few_for_a_factor() -> None:
    other = [row | {"close": row["close"] / 2} for row in bars(4)]
    assert compared("A", bars_of(bars(4)), bars_of(other)).factor is None


async def test_every_ticker_is_compared_and_one_that_the_source_lacks_says_why(engine: AsyncEngine) -> None:
    stored = [*bars(10), *bars(10, "B"), *bars(10, "C")]
    await ingest_universe(engine, Vendor(stored), UNIVERSE, clock=lambda: NOW)
    other = Vendor(
        [*bars(10), *(row | {"close": row["close"] * 1.005} for row in bars(10, "B"))],
        failures={"C": TickerNotFoundError("other", "C", "unknown")},
    )
    found = await reconcile(engine, "U", other, today=NOW.date())
    assert [(item.ticker, item.both) for item in found.tickers] == [("A", 10), ("B", 10), ("C", 0)]
    assert "unknown" in str(found.tickers[2].failure)
    assert found.share("close") == {"equal": 0.5, "near": 0.5, "different": 0.0}
    assert found.share("nothing") == {}


async def test_only_the_tickers_that_are_named_are_fetched(engine: AsyncEngine) -> None:
    await ingest_universe(engine, Vendor([*bars(3), *bars(3, "B")]), UNIVERSE, clock=lambda: NOW)
    other = Vendor(bars(3, "B"))
    found = await reconcile(engine, "U", other, today=NOW.date(), tickers=["B", "Z"])
    assert [item.ticker for item in found.tickers] == ["B"]
    assert [request.ticker for request in other.requests] == ["B"]
