"""Ingest into a real PostgreSQL while processes are killed, the server crashes, clocks and vendors are wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.bar_lock import lock_bars
from backend.database.connection import make_engine, transaction
from backend.database.errors import DatabaseUnavailableError
from backend.database.ingest_runs import RunRecord, recent_runs
from backend.database.migrations import migrate
from backend.database.models.market import Bar, SupersededBar
from backend.database.universes import UniverseRecord
from backend.ingest.sources.contract import Fetched, FetchRequest
from backend.ingest.sources.files import FilesSource
from backend.services.ingest import IngestReport, ingest_universe
from backend.services.ingest_batches import LEASE_TTL_S
from support.bars import DAY, Row, Vendor, bar, bars_of
from support.postgres import NoServerError, Server, own_server

pytestmark = pytest.mark.postgres

MONDAY = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
AFTER_THE_LEASE = dt.timedelta(seconds=LEASE_TTL_S + 1)
UNIVERSE = UniverseRecord(
    key="U", name="U", currency="USD", calendar="XNYS", benchmark=None, source="vendor", source_options={}
)
ROWS = [bar(ticker, DAY + dt.timedelta(days=day)) for ticker in "ABCDEF" for day in range(3)]
#: Bars of each of six tickers: more than a batch of an ingest has, so that there are six.
N_BARS = 51_000


@pytest.fixture
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    migrate(postgres_url)
    made = make_engine(postgres_url)
    yield made
    await made.dispose()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the test's own, which it may crash."""
    try:
        with own_server() as running:
            migrate(running.url)
            yield running
    except NoServerError as error:
        pytest.skip(f"no PostgreSQL server: {error}")


async def ingest(
    engine: AsyncEngine, source: Vendor, *, now: dt.datetime = MONDAY, universe: UniverseRecord = UNIVERSE
) -> IngestReport:
    """One ticker after the other, each stored at once."""
    return await ingest_universe(engine, source, universe, clock=lambda: now, concurrency=1, batch_rows=1)


async def runs_of(engine: AsyncEngine, key: str = "U") -> list[RunRecord]:
    async with transaction(engine) as connection:
        return (await recent_runs(connection, key, limit=10))[::-1]


async def n_rows(engine: AsyncEngine, table: type[Bar | SupersededBar] = Bar) -> int:
    async with transaction(engine) as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


def long_history(ticker: str) -> pa.Table:
    days = [dt.date(1860, 1, 1) + dt.timedelta(days=number) for number in range(N_BARS)]
    return bars_of([bar(ticker, day) for day in days])


async def test_a_backfill_that_is_killed_is_resumed_without_a_row_lost_or_twice(
    engine: AsyncEngine, postgres_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "bars.parquet"
    pq.write_table(pa.concat_tables([long_history(ticker) for ticker in "ABCDEF"]), path)
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("parakeet"),
        *("ingest", "U", "--source", "files", "--path", str(path)),
        env=os.environ | {"NEON_DATABASE_URL": postgres_url, "CACHE_URL": str(tmp_path / "cache")},
        stdout=asyncio.subprocess.DEVNULL,
    )
    while not any(run.inserted for run in await runs_of(engine)):
        assert process.returncode is None
    async with transaction(engine) as connection:
        # Granted between two batches; the process then waits in the middle of the next one, and dies there.
        await lock_bars(connection)
        process.kill()
        await process.wait()
    (killed,) = await runs_of(engine)
    stored = await n_rows(engine)
    assert killed.status == "running"
    assert 0 < killed.inserted == stored < 6 * N_BARS

    source, later = FilesSource(path), killed.started_at + dt.timedelta(hours=1)
    report = await ingest_universe(engine, source, UNIVERSE, clock=lambda: later)
    killed, resumed = await runs_of(engine)
    assert (killed.status, resumed.status) == ("interrupted", "succeeded")
    assert report.inserted == 6 * N_BARS - stored
    assert (report.changed, report.quarantined) == (0, 0)
    assert await n_rows(engine) == 6 * N_BARS
    assert await n_rows(engine, SupersededBar) == 0


class CrashingVendor(Vendor):
    """A vendor at whose answer for C, when A and B are stored, the database server crashes, and starts again."""

    def __init__(self, rows: list[Row], server: Server, engine: AsyncEngine) -> None:
        super().__init__(rows)
        self._server, self._engine = server, engine

    async def fetch(self, request: FetchRequest) -> Fetched:
        if request.ticker == "C":
            while await n_rows(self._engine) < 6:
                pass
            await asyncio.to_thread(self._server.crash_and_start)
        return await super().fetch(request)


async def test_a_run_recovers_from_a_crash_of_the_server_between_two_batches(server: Server) -> None:
    engine = make_engine(server.url)
    report = await ingest(engine, CrashingVendor(ROWS, server, engine))
    assert (report.status, report.inserted) == ("succeeded", len(ROWS))
    assert await n_rows(engine) == len(ROWS)
    assert [run.inserted for run in await runs_of(engine)] == [len(ROWS)]
    await engine.dispose()


async def test_a_crash_of_the_server_within_a_batch_ends_the_run_and_the_next_one_completes_it(server: Server) -> None:
    engine = make_engine(server.url)
    moments = iter(range(3))

    def clock() -> dt.datetime:
        # The first moment is the start, and each batch begins its transaction with one more.
        if next(moments, None) == 2:
            server.crash_and_start()
        return MONDAY

    run = ingest_universe(engine, Vendor(ROWS), UNIVERSE, clock=clock, concurrency=1, batch_rows=1)
    with pytest.raises(DatabaseUnavailableError, match="does not answer"):
        await run
    assert await n_rows(engine) == 3
    report = await ingest(engine, Vendor(ROWS), now=MONDAY + AFTER_THE_LEASE)
    assert (report.status, report.inserted, report.unchanged, report.changed) == ("succeeded", len(ROWS) - 3, 3, 0)
    assert await n_rows(engine) == len(ROWS)
    assert [run.status for run in await runs_of(engine)] == ["failed", "succeeded"]
    await engine.dispose()


async def test_two_universes_with_the_same_tickers_ingested_at_once_store_each_bar_once(engine: AsyncEngine) -> None:
    reports = await asyncio.gather(
        *(ingest(engine, Vendor(ROWS), universe=replace(UNIVERSE, key=key)) for key in ("U", "V", "W"))
    )
    assert sum(report.inserted for report in reports) == len(ROWS)
    assert sum(report.unchanged for report in reports) == 2 * len(ROWS)
    assert await n_rows(engine) == len(ROWS)
    assert await n_rows(engine, SupersededBar) == 0


class MistakenVendor(Vendor):
    """A vendor that answers with the bars of A whatever it is asked for."""

    async def fetch(self, request: FetchRequest) -> Fetched:
        return await super().fetch(replace(request, ticker="A"))


async def test_another_tickers_data_are_stored_under_neither(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(ROWS))
    wrong = [row | {"close": 11.5} for row in ROWS if row["ticker"] == "A"]
    source = MistakenVendor([*wrong, bar("B")])
    report = await ingest(engine, source, now=MONDAY + AFTER_THE_LEASE)
    # A is asked for as well, and its answer is right.
    assert (report.changed, report.quarantined, report.failed) == (3, 3, 1)
    assert report.failures["wrong_ticker"] == 3
    async with transaction(engine) as connection:
        closes = (await connection.scalars(select(Bar.close).where(Bar.ticker == "B"))).all()
    assert closes == [11.0] * 3


@pytest.mark.parametrize("skew", [dt.timedelta(0), dt.timedelta(hours=1), dt.timedelta(days=2)], ids=str)
async def test_with_a_clock_that_goes_back_a_restatement_is_still_the_later_version(
    engine: AsyncEngine, skew: dt.timedelta
) -> None:
    for number in range(3):
        await ingest(engine, Vendor([bar(volume=float(number))]), now=MONDAY - number * skew)
    async with transaction(engine) as connection:
        history = await connection.execute(
            select(SupersededBar.volume, SupersededBar.known_at, SupersededBar.superseded_at).order_by(
                SupersededBar.known_at
            )
        )
        (first, second), last = history.all(), (await connection.execute(select(Bar.volume, Bar.known_at))).one()
    assert (first.volume, second.volume, last.volume) == (0.0, 1.0, 2.0)
    assert MONDAY == first.known_at < first.superseded_at == second.known_at < second.superseded_at == last.known_at
