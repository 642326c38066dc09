"""Batches of an ingest whose source states when it published its rows."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import transaction
from backend.database.ingest_runs import FailureRecord, RunCounts, RunRecord, failures_of, get_run, start_run
from backend.database.leases import acquire_lease
from backend.ingest.pipeline import TickerOutcome
from backend.services.ingest_batches import LEASE_TTL_S, BatchWriter, lease_name
from support.bars import DAY, bar, bars_of
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


async def test_a_version_that_comes_too_late_is_quarantined_and_counted(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await acquire_lease(connection, lease_name("U"), "run", ttl_s=LEASE_TTL_S, now=TUESDAY)
        await start_run(connection, RUN)
    writer = BatchWriter(
        engine=engine, run=RUN, identities=nobody_known(TUESDAY.date()), members=set(), clock=lambda: TUESDAY
    )
    await writer.write([outcome(11.0, TUESDAY)])
    await writer.write([outcome(12.0, MONDAY)])
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
