"""Leases on both databases: one owner at a time, and none for ever."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import make_engine, transaction
from backend.database.errors import LeaseHeldError
from backend.database.leases import acquire_lease, release_lease, renew_lease
from backend.database.migrations import migrate
from backend.database.models.ingest import Lease

NOON = dt.datetime(2024, 1, 8, 12, tzinfo=dt.UTC)
TTL_S = 60.0
END = NOON + dt.timedelta(seconds=TTL_S)
MICROSECOND = dt.timedelta(microseconds=1)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    migrate(database_url)
    made = make_engine(database_url)
    yield made
    await made.dispose()


async def acquire(engine: AsyncEngine, owner: str, *, name: str = "ingest:U", now: dt.datetime = NOON) -> None:
    async with transaction(engine) as connection:
        await acquire_lease(connection, name, owner, ttl_s=TTL_S, now=now)


async def renew(engine: AsyncEngine, owner: str, *, now: dt.datetime) -> None:
    async with transaction(engine) as connection:
        await renew_lease(connection, "ingest:U", owner, ttl_s=TTL_S, now=now)


async def release(engine: AsyncEngine, owner: str) -> None:
    async with transaction(engine) as connection:
        await release_lease(connection, "ingest:U", owner)


async def holder(engine: AsyncEngine) -> tuple[str, dt.datetime] | None:
    async with transaction(engine) as connection:
        query = select(Lease.owner, Lease.expires_at).where(Lease.name == "ingest:U")
        row = (await connection.execute(query)).one_or_none()
        return None if row is None else (row.owner, row.expires_at)


async def test_a_free_lease_is_taken_until_its_time_to_live_is_over(engine: AsyncEngine) -> None:
    await acquire(engine, "first")
    assert await holder(engine) == ("first", END)


async def test_a_second_owner_is_refused_and_told_until_when(engine: AsyncEngine) -> None:
    await acquire(engine, "first")
    with pytest.raises(LeaseHeldError, match="until 2024-01-08T12:01:00") as caught:
        await acquire(engine, "second", now=NOON + dt.timedelta(seconds=30))
    assert (caught.value.name, caught.value.expires_at) == ("ingest:U", END)
    assert await holder(engine) == ("first", END)


async def test_a_lease_is_held_through_the_moment_it_expires_and_no_longer(engine: AsyncEngine) -> None:
    await acquire(engine, "first")
    with pytest.raises(LeaseHeldError):
        await acquire(engine, "second", now=END)
    await acquire(engine, "second", now=END + MICROSECOND)
    assert await holder(engine) == ("second", END + MICROSECOND + dt.timedelta(seconds=TTL_S))


async def test_leases_are_compared_as_moments_whatever_the_zone_they_are_said_in(engine: AsyncEngine) -> None:
    sydney = ZoneInfo("Australia/Sydney")
    await acquire(engine, "first", now=NOON.astimezone(sydney))
    assert await holder(engine) == ("first", END)
    with pytest.raises(LeaseHeldError):
        await acquire(engine, "second", now=END.astimezone(sydney))


async def test_leases_of_other_names_do_not_meet(engine: AsyncEngine) -> None:
    await acquire(engine, "first")
    await acquire(engine, "second", name="ingest:V")
    assert await holder(engine) == ("first", END)


async def test_of_two_at_once_exactly_one_gets_the_lease(engine: AsyncEngine) -> None:
    results = await asyncio.gather(
        acquire(engine, "first"), acquire(engine, "second"), acquire(engine, "third"), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, LeaseHeldError)]
    assert len(refused) == 2
    assert results.count(None) == 1


async def test_renewing_holds_the_lease_from_then_on(engine: AsyncEngine) -> None:
    await acquire(engine, "first")
    later = NOON + dt.timedelta(seconds=50)
    await renew(engine, "first", now=later)
    assert await holder(engine) == ("first", later + dt.timedelta(seconds=TTL_S))


async def test_an_expired_lease_that_nobody_took_can_be_renewed(engine: AsyncEngine) -> None:
    await acquire(engine, "first")
    later = END + dt.timedelta(hours=1)
    await renew(engine, "first", now=later)
    assert await holder(engine) == ("first", later + dt.timedelta(seconds=TTL_S))


async def test_a_lease_that_another_owner_took_over_cannot_be_renewed(engine: AsyncEngine) -> None:
    await acquire(engine, "first")
    await acquire(engine, "second", now=END + MICROSECOND)
    with pytest.raises(LeaseHeldError) as caught:
        await renew(engine, "first", now=END + 2 * MICROSECOND)
    assert caught.value.expires_at == END + MICROSECOND + dt.timedelta(seconds=TTL_S)


async def test_a_lease_that_is_not_there_cannot_be_renewed(engine: AsyncEngine) -> None:
    with pytest.raises(LeaseHeldError) as caught:
        await renew(engine, "first", now=NOON)
    assert caught.value.expires_at is None


async def test_a_released_lease_is_free_at_once(engine: AsyncEngine) -> None:
    await acquire(engine, "first")
    await release(engine, "first")
    assert await holder(engine) is None
    await acquire(engine, "second")


async def test_releasing_the_lease_of_another_does_nothing(engine: AsyncEngine) -> None:
    await acquire(engine, "first")
    await release(engine, "second")
    assert await holder(engine) == ("first", END)


async def test_a_lease_taken_in_a_transaction_that_fails_is_not_held(engine: AsyncEngine) -> None:
    async def fails() -> None:
        async with transaction(engine) as connection:
            await acquire_lease(connection, "ingest:U", "first", ttl_s=TTL_S, now=NOON)
            raise ValueError("a defect of ours")

    with pytest.raises(ValueError, match="a defect of ours"):
        await fails()
    await acquire(engine, "second")
