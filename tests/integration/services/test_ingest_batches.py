"""Batches of an ingest whose source states when it published its rows."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.bar_writer import merge_bars
from backend.database.connection import transaction
from backend.database.ingest_runs import FailureRecord, RunCounts, RunRecord, failures_of, get_run, start_run
from backend.database.leases import acquire_lease
from backend.database.models.market import Bar, Instrument
from backend.ingest.pipeline import TickerOutcome
from backend.services.ingest_batches import LEASE_TTL_S, BatchWriter, lease_name
from support.bars import DAY, bar, bars_of, to_merge
from support.identities import nobody_known

MONDAY = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
RUN = RunRecord(
    id="run", universe_key="U", source="vendor", status="running", started_at=TUESDAY, lookback_days=7, tickers=1
)


def outcome(close: float, known_at: dt.datetime) -> TickerOutcome:
    moments = pa.array([known_at], pa.timestamp("us", "UTC"))
    return TickerOutcome(
        ticker="A", source="vendor", n_rows=1, good=bars_of([bar(close=close)]).append_column("known_at", moments)
    )


async def started_writer(engine: AsyncEngine) -> BatchWriter:
    async with transaction(engine) as connection:
        await acquire_lease(connection, lease_name("U"), "run", ttl_s=LEASE_TTL_S, now=TUESDAY)
        await start_run(connection, RUN)
    return BatchWriter(
        engine=engine, run=RUN, identities=nobody_known(TUESDAY.date()), members=set(), clock=lambda: TUESDAY
    )


async def test_a_version_that_comes_too_late_is_quarantined_and_counted(engine: AsyncEngine) -> None:
    writer = await started_writer(engine)
    await writer.write(await writer.prepared([outcome(11.0, TUESDAY)]))
    await writer.write(await writer.prepared([outcome(12.0, MONDAY)]))
    assert writer.counts == RunCounts(rows_in=2, inserted=1, quarantined=1)
    assert writer.reasons == {"late_vintage": 1}
    async with transaction(engine) as connection:
        assert (await get_run(connection, "run")).quarantined == 1
        (failure,) = await failures_of(connection, "run")
    assert failure == FailureRecord(
        ticker="A",
        date=DAY,
        error_class="BAD_DATA",
        reason="late_vintage",
        payload=bar(close=12.0) | {"date": "2024-01-02", "known_at": "2024-01-08T22:00:00+00:00"},
    )


async def test_bars_that_another_run_stored_since_a_batch_was_prepared_are_compared(engine: AsyncEngine) -> None:
    writer = await started_writer(engine)
    rows = [bar(), bar(date=DAY + dt.timedelta(days=1))]
    prepared = await writer.prepared([TickerOutcome(ticker="A", source="vendor", n_rows=2, good=bars_of(rows))])
    async with transaction(engine) as connection:
        await merge_bars(connection, to_merge([bar(close=12.0)]), known_at=MONDAY)
    await writer.write(prepared)
    assert writer.counts == RunCounts(rows_in=2, inserted=1, changed=1)


async def test_a_prepared_batch_is_known_from_its_transaction_on(engine: AsyncEngine) -> None:
    writer = await started_writer(engine)
    prepared = await writer.prepared([TickerOutcome(ticker="A", source="vendor", n_rows=1, good=bars_of([bar()]))])
    writer.clock = lambda: TUESDAY + dt.timedelta(hours=1)
    await writer.write(prepared)
    async with transaction(engine) as connection:
        moments = (await connection.scalars(select(Bar.known_at).union_all(select(Instrument.known_at)))).all()
    assert moments == [TUESDAY + dt.timedelta(hours=1)] * 2
