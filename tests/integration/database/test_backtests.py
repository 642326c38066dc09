"""Stored backtests, the ledger of trials and the keys of requests."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.backtests import (
    BacktestRecord,
    find_backtest,
    find_document,
    get_backtest,
    list_backtests,
    store_backtest,
)
from backend.database.connection import make_engine, transaction
from backend.database.errors import IdempotencyConflictError, UnknownBacktestError
from backend.database.idempotency import claim_idempotency_key
from backend.database.migrations import migrate
from backend.database.trials import TrialCounts, TrialRecord, count_trials

NOON = dt.datetime(2024, 1, 8, 12, tzinfo=dt.UTC)


def backtest(backtest_id: str, created_at: dt.datetime = NOON) -> BacktestRecord:
    return BacktestRecord(
        id=backtest_id,
        spec={"strategy": "equal_weight"},
        document="{}",
        equity_key="objects/e",
        orders_key="objects/o",
        holdings_key="objects/h",
        created_at=created_at,
    )


def trial(backtest_id: str, strategy: str = "equal_weight") -> TrialRecord:
    return TrialRecord(
        backtest_id=backtest_id,
        design=backtest_id,
        strategy=strategy,
        universe="U",
        origin="cli",
        n_returns=2,
        mean=0.001,
        std=0.02,
        skewness=None,
        kurtosis=None,
        equity_key="objects/e",
        equity_column="equity",
        created_at=NOON,
    )


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Both databases, migrated and empty."""
    migrate(database_url)
    made = make_engine(database_url)
    yield made
    await made.dispose()


async def stored(engine: AsyncEngine, *records: BacktestRecord) -> None:
    async with transaction(engine) as connection:
        for record in records:
            await store_backtest(connection, record, trial(record.id))


async def execute(engine: AsyncEngine, statement: str) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text(statement))


async def test_a_stored_backtest_comes_back_as_it_was(engine: AsyncEngine) -> None:
    await stored(engine, backtest("b1"))
    async with transaction(engine) as connection:
        assert await get_backtest(connection, "b1") == backtest("b1")
        assert await find_backtest(connection, "b2") is None
        with pytest.raises(UnknownBacktestError, match="b2"):
            await get_backtest(connection, "b2")


async def test_what_is_stored_stays_as_it_is_and_is_what_is_served(engine: AsyncEngine) -> None:
    later = replace(backtest("b1"), document='{"other": true}')
    async with transaction(engine) as connection:
        assert await store_backtest(connection, backtest("b1"), trial("b1")) == "{}"
    async with transaction(engine) as connection:
        assert await store_backtest(connection, later, trial("b1")) == "{}"
    async with transaction(engine) as connection:
        assert await find_document(connection, "b1") == "{}"
        assert await find_document(connection, "b2") is None
        assert await get_backtest(connection, "b1") == backtest("b1")
        assert await count_trials(connection) == {"equal_weight": TrialCounts(n_trials=1, n_specs=1)}


async def test_trials_are_counted_by_strategy(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        for number, strategy in enumerate(["b", "a", "b"]):
            await store_backtest(connection, backtest(f"id{number}"), trial(f"id{number}", strategy))
        counts = await count_trials(connection)
    assert counts == {"a": TrialCounts(n_trials=1, n_specs=1), "b": TrialCounts(n_trials=2, n_specs=2)}


@pytest.mark.parametrize("statement", ["UPDATE trials SET mean = 9", "DELETE FROM trials"])
async def test_no_trial_is_ever_changed_or_removed(engine: AsyncEngine, statement: str) -> None:
    await stored(engine, backtest("b1"))
    with pytest.raises(DBAPIError, match="trials is append-only"):
        await execute(engine, statement)
    async with transaction(engine) as connection:
        assert await connection.scalar(text("SELECT mean FROM trials")) == 0.001


@pytest.mark.postgres
async def test_trials_cannot_be_truncated(postgres_url: str) -> None:
    migrate(postgres_url)
    engine = make_engine(postgres_url)
    with pytest.raises(DBAPIError, match="trials is append-only"):
        await execute(engine, "TRUNCATE trials")
    await engine.dispose()


async def test_pages_of_backtests_join_without_gap_or_repeat_also_where_moments_are_equal(engine: AsyncEngine) -> None:
    moments = [NOON, NOON, NOON, NOON + dt.timedelta(microseconds=1), NOON - dt.timedelta(days=1)]
    records = [backtest(f"b{number}", moment) for number, moment in enumerate(moments)]
    await stored(engine, *records)
    # Newest first; of one moment the largest id first.
    whole = ["b3", "b2", "b1", "b0", "b4"]
    for limit in range(1, 7):
        found: list[BacktestRecord] = []
        async with transaction(engine) as connection:
            while page := await list_backtests(
                connection, before=(found[-1].created_at, found[-1].id) if found else None, limit=limit
            ):
                found += page
        assert [record.id for record in found] == whole


async def test_a_key_may_be_used_again_for_the_same_request(engine: AsyncEngine) -> None:
    for _ in range(2):
        async with transaction(engine) as connection:
            await claim_idempotency_key(connection, "key", "hash")


async def test_a_key_is_refused_for_another_request(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await claim_idempotency_key(connection, "key", "hash")
        with pytest.raises(IdempotencyConflictError, match="'key'"):
            await claim_idempotency_key(connection, "key", "other")


async def test_of_two_requests_at_once_under_one_key_one_is_refused(engine: AsyncEngine) -> None:
    async def claim(request_hash: str) -> None:
        async with transaction(engine) as connection:
            await claim_idempotency_key(connection, "key", request_hash)

    outcomes = await asyncio.gather(claim("one"), claim("other"), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["IdempotencyConflictError", "NoneType"]
