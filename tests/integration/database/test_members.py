"""Stays of a universe: versions that are appended, ends that are corrected, and stays that are withdrawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import make_engine, transaction
from backend.database.migrations import migrate
from backend.database.universes import members, put_members
from strategy.universe import Membership

MONDAY = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
JANUARY = dt.date(2024, 1, 2)


def stay(ticker: str, start: dt.date = JANUARY, end: dt.date | None = None) -> Membership:
    return Membership(ticker=ticker, start_date=start, end_date=end)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    migrate(database_url)
    made = make_engine(database_url)
    yield made
    await made.dispose()


async def put(engine: AsyncEngine, *stays: Membership, at: dt.datetime, withdrawn: tuple[Membership, ...] = ()) -> int:
    async with transaction(engine) as connection:
        return await put_members(connection, "MINE", stays, known_at=at, withdrawn=withdrawn)


async def known(engine: AsyncEngine, as_of: dt.datetime | None = None) -> tuple[list[Membership], dt.datetime | None]:
    async with transaction(engine) as connection:
        return await members(connection, "MINE", as_of=as_of)


async def test_what_is_known_is_not_stored_again(engine: AsyncEngine) -> None:
    assert await put(engine, stay("A"), stay("B"), at=MONDAY) == 2
    assert await put(engine, stay("A"), stay("B"), at=MONDAY + DAY) == 0
    assert await known(engine) == ([stay("A"), stay("B")], MONDAY)


async def test_a_corrected_end_is_a_version_and_the_past_keeps_the_old_one(engine: AsyncEngine) -> None:
    ended = stay("A", end=dt.date(2024, 1, 5))
    await put(engine, stay("A"), at=MONDAY)
    assert await put(engine, ended, at=MONDAY + DAY) == 1
    assert await known(engine) == ([ended], MONDAY + DAY)
    assert await known(engine, MONDAY) == ([stay("A")], MONDAY)


async def test_a_withdrawn_stay_is_gone_from_then_on_and_its_withdrawal_is_news(engine: AsyncEngine) -> None:
    await put(engine, stay("A"), stay("B"), at=MONDAY)
    assert await put(engine, at=MONDAY + DAY, withdrawn=(stay("A"),)) == 1
    assert await known(engine) == ([stay("B")], MONDAY + DAY)
    assert await known(engine, MONDAY) == ([stay("A"), stay("B")], MONDAY)
    assert await put(engine, at=MONDAY + 2 * DAY, withdrawn=(stay("A"),)) == 0


async def test_a_withdrawn_stay_can_come_back_even_when_the_clock_went_backwards(engine: AsyncEngine) -> None:
    await put(engine, stay("A"), at=MONDAY)
    await put(engine, at=MONDAY + DAY, withdrawn=(stay("A"),))
    assert await put(engine, stay("A"), at=MONDAY) == 1
    stays, newest = await known(engine)
    assert stays == [stay("A")]
    assert newest is not None
    assert newest > MONDAY + DAY
