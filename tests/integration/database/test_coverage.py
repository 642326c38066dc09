"""Counts of what is stored: kept, removed when bars change, and the same as counting every bar."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.bar_writer import merge_bars
from backend.database.connection import make_engine, transaction
from backend.database.coverage import count_coverage, coverage
from backend.database.migrations import migrate
from backend.database.models.market import Bar, TickerCoverage
from backend.database.verdict_store import NewVerdict, store_verdicts
from support.bars import DAY, Row, bar, to_merge

MONDAY = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
NEXT_DAY = DAY + dt.timedelta(days=1)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    """One transaction on a database with three counted bars of A and B, of which one is suspect."""
    migrate(database_url)
    engine = make_engine(database_url)
    async with transaction(engine) as opened:
        await merge(opened, bar("A"), bar("B"))
        await merge(opened, bar("A", NEXT_DAY), data_quality="suspect", known_at=TUESDAY)
        await count_coverage(opened, ["A", "B", "NOTHING"])
        yield opened
    await engine.dispose()


async def merge(
    connection: AsyncConnection, *rows: Row, data_quality: str = "good", known_at: dt.datetime = MONDAY
) -> None:
    await merge_bars(connection, to_merge(rows, data_quality=data_quality), known_at=known_at)


async def counted(connection: AsyncConnection) -> list[str]:
    return list((await connection.scalars(select(TickerCoverage.ticker).order_by(TickerCoverage.ticker))).all())


def expected(bars: int, *, suspect: int = 0, known_at: dt.datetime = TUESDAY) -> dict[str, Any]:
    """Coverage of bars of DAY and the day after; Any: counts and dates."""
    quality = {"good": bars - suspect, "suspect": suspect, "bad": 0}
    return {
        "bars": bars,
        "first_session": DAY,
        "last_session": NEXT_DAY,
        "known_at": known_at,
        "quality": quality,
    }


async def test_a_count_is_what_counting_every_bar_gives(connection: AsyncConnection) -> None:
    assert await counted(connection) == ["A", "B"]
    assert await coverage(connection, ["A", "B", "NOTHING"]) == expected(3, suspect=1)


async def test_a_count_is_read_and_not_made_again(connection: AsyncConnection) -> None:
    await connection.execute(update(TickerCoverage).values(bars=100))
    assert (await coverage(connection, ["A", "B"]))["bars"] == 200


async def test_new_bars_are_counted_at_once(connection: AsyncConnection) -> None:
    await merge(connection, bar("B", NEXT_DAY))
    # SQLite forgets, PostgreSQL adds.
    assert await counted(connection) in (["A"], ["A", "B"])
    assert await coverage(connection, ["A", "B"]) == expected(4, suspect=1)
    await count_coverage(connection, ["A", "B"])
    assert await counted(connection) == ["A", "B"]
    assert await coverage(connection, ["A", "B"]) == expected(4, suspect=1)


def many(first: dt.date, *tickers: str) -> list[Row]:
    """As many bars of each ticker as are stored without a look at each."""
    return [bar(ticker, first + dt.timedelta(days=day)) for ticker in tickers for day in range(60)]


async def true_counts(connection: AsyncConnection) -> dict[str, tuple[Any, ...]]:  # Any: numbers and dates
    """What a look at every stored bar finds, by ticker, in the order of the columns."""
    found: dict[str, list[Any]] = {}  # Any: a row of mixed columns
    for row in (await connection.execute(select(Bar.ticker, Bar.date, Bar.data_quality, Bar.known_at))).all():
        found.setdefault(row.ticker, []).append(row)
    return {
        ticker: (
            len(rows),
            *(sum(row.data_quality == quality for row in rows) for quality in ("suspect", "bad")),
            *(edge(row.date for row in rows) for edge in (min, max)),
            max(row.known_at for row in rows),
        )
        for ticker, rows in found.items()
    }


async def test_counts_that_are_kept_are_true_whatever_was_merged(connection: AsyncConnection) -> None:
    later = TUESDAY + dt.timedelta(days=1)
    first, before = NEXT_DAY + dt.timedelta(days=1), DAY - dt.timedelta(days=90)
    for rows, quality, moment in (
        (many(first, "C", "D"), "good", MONDAY),
        (many(before, "C", "A"), "bad", TUESDAY),
        ([bar("C", first + dt.timedelta(days=60)), bar("D", first, volume=1.0)], "suspect", later),
        (many(before, "D", "E"), "suspect", MONDAY),
    ):
        await merge(connection, *rows, data_quality=quality, known_at=moment)
        kept = {row.ticker: tuple(row)[1:] for row in await connection.execute(select(TickerCoverage.__table__))}
        true = await true_counts(connection)
        assert kept == {ticker: true[ticker] for ticker in kept}
    if connection.dialect.name == "postgresql":
        # Of D a bar was changed.
        assert sorted(kept) == ["A", "B", "C", "E"]


async def test_restated_bars_are_counted_at_once(connection: AsyncConnection) -> None:
    later = TUESDAY + dt.timedelta(days=1)
    await merge(connection, bar("B", volume=1.0), known_at=later)
    assert await coverage(connection, ["A", "B"]) == expected(3, suspect=1, known_at=later)


async def test_another_verdict_is_counted_at_once(connection: AsyncConnection) -> None:
    verdict = NewVerdict(
        ticker="B", date=DAY, known_at=MONDAY, quality="suspect", metadata={"rules": ["stale_close"]}, is_version=True
    )
    later = TUESDAY + dt.timedelta(days=1)
    assert await store_verdicts(connection, [verdict], now=later) == 1
    assert await coverage(connection, ["A", "B"]) == expected(3, suspect=2, known_at=later)


async def test_bars_changed_or_removed_by_hand_are_counted_at_once(connection: AsyncConnection) -> None:
    later = TUESDAY + dt.timedelta(days=1)
    await connection.execute(update(Bar).where(Bar.ticker == "B").values(data_quality="suspect", known_at=later))
    assert await counted(connection) == ["A"]
    assert await coverage(connection, ["A", "B"]) == expected(3, suspect=2, known_at=later)
    await connection.execute(delete(Bar).where(Bar.ticker == "A", Bar.date == DAY))
    assert await counted(connection) == []
    assert await coverage(connection, ["A", "B"]) == expected(2, suspect=2, known_at=later)


async def test_an_emptied_table_has_no_counts(connection: AsyncConnection) -> None:
    is_postgres = connection.dialect.name == "postgresql"
    # SQLite has no TRUNCATE.
    await connection.execute(text("TRUNCATE market_data") if is_postgres else delete(Bar))
    assert await counted(connection) == []


async def test_a_count_of_bars_that_are_gone_is_replaced(connection: AsyncConnection) -> None:
    gone = {"ticker": "C", "bars": 9, "suspect": 9, "bad": 0, "known_at": TUESDAY}
    await connection.execute(insert(TickerCoverage).values(gone | {"first_session": DAY, "last_session": DAY}))
    await merge(connection, *many(NEXT_DAY, "C"))
    assert (await coverage(connection, ["C"]))["bars"] == 60
    assert (await coverage(connection, ["C"]))["first_session"] == NEXT_DAY


async def test_two_that_count_at_once_count_once(database_url: str) -> None:
    migrate(database_url)
    engine = make_engine(database_url)

    async def count() -> None:
        async with transaction(engine) as opened:
            # An own write comes first in an ingest as well: SQLite takes its lock by it.
            await opened.execute(delete(TickerCoverage))
            await count_coverage(opened, ["A"])

    async with transaction(engine) as opened:
        await merge(opened, bar("A"))
        counting = [asyncio.create_task(count()) for _ in range(2)]
        await asyncio.sleep(0)
        await merge(opened, bar("A", NEXT_DAY))
    await asyncio.gather(*counting)
    async with transaction(engine) as opened:
        assert (await opened.scalars(select(TickerCoverage.bars))).all() == [2]
    await engine.dispose()


async def test_bars_that_came_unchanged_leave_the_counts(connection: AsyncConnection) -> None:
    await merge(connection, bar("A"), bar("B"), known_at=TUESDAY)
    assert await counted(connection) == ["A", "B"]


async def test_nothing_stored_is_no_bars(connection: AsyncConnection) -> None:
    empty = dict.fromkeys(("first_session", "last_session", "known_at"))
    for tickers in ([], ["NOTHING"]):
        assert await coverage(connection, tickers) == empty | {
            "bars": 0,
            "quality": {"good": 0, "suspect": 0, "bad": 0},
        }
