"""Ingest that meets another one, is cancelled, or is killed: nothing is lost, and nothing is stored twice."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import transaction
from backend.database.errors import LeaseHeldError
from backend.database.ingest_runs import RunRecord, recent_runs, start_run
from backend.database.leases import acquire_lease
from backend.database.models.ingest import Lease
from backend.database.models.market import Bar
from backend.database.universes import UniverseRecord, members
from backend.ingest.errors import SourceSettingsError
from backend.ingest.sources.contract import Fetched, FetchRequest
from backend.services.ingest import IngestReport, ingest_universe, keep_lease
from backend.services.ingest_batches import LEASE_TTL_S, BatchWriter, lease_name
from support.bars import Row, Vendor, bar
from support.identities import nobody_known

MONDAY = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
UNIVERSE = UniverseRecord(
    key="U", name="U", currency="USD", calendar="XNYS", benchmark=None, source="vendor", source_options={}
)
ROWS = [bar("A"), bar("B"), bar("C"), bar("D")]
KILLED = RunRecord(
    id="killed", universe_key="U", source="vendor", status="running", started_at=MONDAY, lookback_days=7, tickers=4
)


class WaitingVendor(Vendor):
    """A vendor that, asked for one ticker, says so and does not answer before it may."""

    def __init__(self, rows: list[Row], *, waits_at: str) -> None:
        super().__init__(rows)
        self._waits_at = waits_at
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def fetch(self, request: FetchRequest) -> Fetched:
        if request.ticker == self._waits_at:
            self.is_asked.set()
            await self.may_answer.wait()
        return await super().fetch(request)


async def ingest(
    engine: AsyncEngine, source: Vendor, *, now: dt.datetime = MONDAY, universe: UniverseRecord = UNIVERSE
) -> IngestReport:
    """One ticker after the other, each stored at once."""
    return await ingest_universe(engine, source, universe, clock=lambda: now, concurrency=1, batch_rows=1)


async def stored_tickers(engine: AsyncEngine) -> list[str]:
    async with transaction(engine) as connection:
        return list((await connection.scalars(select(Bar.ticker).order_by(Bar.ticker))).all())


async def until_stored(engine: AsyncEngine, tickers: list[str]) -> None:
    """Wait for a batch that is being stored while the vendor is asked for more."""
    while await stored_tickers(engine) != tickers:
        pass


async def runs_of(engine: AsyncEngine) -> list[RunRecord]:
    async with transaction(engine) as connection:
        return (await recent_runs(connection, "U", limit=10))[::-1]


async def n_leases(engine: AsyncEngine) -> int:
    async with transaction(engine) as connection:
        return await connection.scalar(select(func.count()).select_from(Lease)) or 0


async def killed_run(engine: AsyncEngine) -> None:
    """What a process leaves behind that is killed just after its start."""
    async with transaction(engine) as connection:
        await acquire_lease(connection, lease_name("U"), "killed", ttl_s=LEASE_TTL_S, now=MONDAY)
        await start_run(connection, KILLED)


async def cancelled_run(engine: AsyncEngine) -> None:
    """A run that was cancelled at its third ticker."""
    source = WaitingVendor(ROWS, waits_at="C")
    task = asyncio.create_task(ingest(engine, source))
    await source.is_asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_second_run_of_a_universe_is_refused_while_the_first_works(engine: AsyncEngine) -> None:
    source = WaitingVendor(ROWS, waits_at="A")
    first = asyncio.create_task(ingest(engine, source))
    await source.is_asked.wait()
    with pytest.raises(LeaseHeldError, match="ingest:U is being worked on by another run"):
        await ingest(engine, Vendor(ROWS))
    source.may_answer.set()
    assert (await first).inserted == 4
    assert [run.status for run in await runs_of(engine)] == ["succeeded"]


async def test_runs_of_two_universes_go_on_side_by_side(engine: AsyncEngine) -> None:
    other = replace(UNIVERSE, key="V")
    source = WaitingVendor(ROWS, waits_at="A")
    first = asyncio.create_task(ingest(engine, source))
    await source.is_asked.wait()
    assert (await ingest(engine, Vendor(ROWS), universe=other)).inserted == 4
    source.may_answer.set()
    # The bars are those of the other run; both universes have the tickers.
    assert (await first).unchanged == 4
    async with transaction(engine) as connection:
        assert (await members(connection, "U"))[0] == (await members(connection, "V"))[0]


async def test_runs_that_start_at_once_store_the_bars_once(engine: AsyncEngine) -> None:
    results = await asyncio.gather(*(ingest(engine, Vendor(ROWS)) for _ in range(3)), return_exceptions=True)
    reports = [result for result in results if isinstance(result, IngestReport)]
    refused = [result for result in results if isinstance(result, LeaseHeldError)]
    assert len(reports) + len(refused) == 3
    assert sum(report.inserted for report in reports) == 4
    assert sum(report.changed for report in reports) == 0
    assert await stored_tickers(engine) == ["A", "B", "C", "D"]


async def test_a_finished_run_gives_its_lease_back(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(ROWS))
    assert await n_leases(engine) == 0


async def test_batches_are_committed_as_they_come(engine: AsyncEngine) -> None:
    source = WaitingVendor(ROWS, waits_at="C")
    task = asyncio.create_task(ingest(engine, source))
    await source.is_asked.wait()
    await until_stored(engine, ["A", "B"])
    (run,) = await runs_of(engine)
    assert (run.status, run.rows_in, run.inserted) == ("running", 2, 2)
    source.may_answer.set()
    await task


async def test_a_cancelled_run_is_closed_as_interrupted_and_keeps_what_it_stored(engine: AsyncEngine) -> None:
    await cancelled_run(engine)
    (run,) = await runs_of(engine)
    assert (run.status, run.finished_at, run.error) == ("interrupted", MONDAY, "CancelledError")
    assert (run.rows_in, run.inserted) == (2, 2)
    assert await stored_tickers(engine) == ["A", "B"]
    assert await n_leases(engine) == 0


async def test_a_run_that_is_cancelled_while_it_stores_a_batch_loses_that_batch_only(engine: AsyncEngine) -> None:
    n_calls = 0

    def clock() -> dt.datetime:
        # The first moment is the start, and each batch begins its transaction with one more.
        nonlocal n_calls
        n_calls += 1
        task = asyncio.current_task()
        if n_calls == 3 and task is not None:
            task.cancel()
        return MONDAY

    run = ingest_universe(engine, Vendor(ROWS), UNIVERSE, clock=clock, concurrency=1, batch_rows=1)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(run)
    assert await stored_tickers(engine) == ["A"]
    assert [(found.status, found.rows_in) for found in await runs_of(engine)] == [("interrupted", 1)]
    assert (await ingest(engine, Vendor(ROWS), now=TUESDAY)).inserted == 3


async def test_the_run_after_a_cancelled_one_continues(engine: AsyncEngine) -> None:
    await cancelled_run(engine)
    report = await ingest(engine, Vendor(ROWS), now=TUESDAY)
    assert (report.status, report.inserted, report.unchanged) == ("succeeded", 2, 2)
    assert await stored_tickers(engine) == ["A", "B", "C", "D"]


async def test_the_lease_of_a_killed_run_is_respected_until_it_runs_out(engine: AsyncEngine) -> None:
    await killed_run(engine)
    with pytest.raises(LeaseHeldError):
        await ingest(engine, Vendor(ROWS), now=MONDAY + dt.timedelta(seconds=LEASE_TTL_S))
    assert await stored_tickers(engine) == []


async def test_a_killed_run_is_closed_as_interrupted_by_the_next(engine: AsyncEngine) -> None:
    await killed_run(engine)
    now = MONDAY + dt.timedelta(seconds=LEASE_TTL_S + 1)
    assert (await ingest(engine, Vendor(ROWS), now=now)).inserted == 4
    killed, after = await runs_of(engine)
    assert (killed.id, killed.status, killed.finished_at) == ("killed", "interrupted", now)
    assert killed.error == "the process ended before the run did"
    assert after.status == "succeeded"


@pytest.mark.parametrize(
    "error", [SourceSettingsError("KEY", None, "refused"), ValueError("a defect of ours")], ids=["settings", "defect"]
)
async def test_a_run_that_cannot_go_on_is_closed_as_failed_and_keeps_what_it_stored(
    engine: AsyncEngine, error: Exception
) -> None:
    with pytest.raises(type(error)):
        await ingest(engine, Vendor(ROWS[:2], failures={"C": error}))
    (run,) = await runs_of(engine)
    assert (run.status, run.inserted, run.error) == ("failed", 2, str(error))
    assert await stored_tickers(engine) == ["A", "B"]
    assert await n_leases(engine) == 0


async def test_a_run_that_lost_its_lease_writes_nothing_more(engine: AsyncEngine) -> None:
    source = WaitingVendor(ROWS, waits_at="C")
    task = asyncio.create_task(ingest(engine, source))
    await source.is_asked.wait()
    await until_stored(engine, ["A", "B"])
    async with transaction(engine) as connection:
        later = MONDAY + dt.timedelta(seconds=LEASE_TTL_S + 1)
        await acquire_lease(connection, lease_name("U"), "another", ttl_s=LEASE_TTL_S, now=later)
    source.may_answer.set()
    with pytest.raises(LeaseHeldError):
        await task
    assert await stored_tickers(engine) == ["A", "B"]
    async with transaction(engine) as connection:
        assert await connection.scalar(select(Lease.owner)) == "another"


async def test_a_batch_that_cannot_be_stored_is_not_counted(engine: AsyncEngine) -> None:
    await killed_run(engine)
    writer = BatchWriter(
        engine=engine, run=KILLED, identities=nobody_known(MONDAY.date()), members=set(), clock=lambda: MONDAY
    )
    before = writer.counts
    async with transaction(engine) as connection:
        await connection.execute(update(Lease).values(owner="another"))
    with pytest.raises(LeaseHeldError):
        await writer.write(await writer.prepared([]))
    assert writer.counts == before


async def test_the_lease_is_renewed_three_times_in_its_time_to_live(engine: AsyncEngine) -> None:
    await killed_run(engine)
    writer = BatchWriter(
        engine=engine, run=KILLED, identities=nobody_known(TUESDAY.date()), members=set(), clock=lambda: TUESDAY
    )
    waits_s: list[float] = []

    async def sleep(wait_s: float) -> None:
        waits_s.append(wait_s)
        if len(waits_s) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await keep_lease(writer, sleep=sleep)
    assert waits_s == [LEASE_TTL_S / 3] * 3
    async with transaction(engine) as connection:
        expires_at = await connection.scalar(select(Lease.expires_at))
    assert expires_at == TUESDAY + dt.timedelta(seconds=LEASE_TTL_S)


async def test_a_heartbeat_that_finds_its_lease_gone_does_not_end_the_run(engine: AsyncEngine) -> None:
    writer = BatchWriter(
        engine=engine, run=KILLED, identities=nobody_known(TUESDAY.date()), members=set(), clock=lambda: TUESDAY
    )
    beats: list[float] = []

    async def sleep(wait_s: float) -> None:
        beats.append(wait_s)
        if len(beats) == 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await keep_lease(writer, sleep=sleep)
    assert len(beats) == 2
