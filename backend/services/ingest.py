"""Ingest of a universe.

1. Take the lease of the universe, so that one run works on it at a time; close what a killed run left open.
2. Ask the source for what is new of each ticker, looking back a few days for restatements.
3. Store good bars, quarantined bars and failures in batches; a batch is committed with the counts of the run.
4. Finish the run, give the lease back, and raise when not one ticker succeeded.

A run that is killed loses only the batch it was at; the next one continues from what is stored.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Literal, TypedDict, Unpack
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.column_types import JsonObject
from backend.database.connection import transaction
from backend.database.coverage import count_coverage
from backend.database.errors import DatabaseError
from backend.database.ingest_runs import RunRecord, finish_run, mark_interrupted, start_run
from backend.database.leases import acquire_lease, release_lease, renew_lease
from backend.database.universes import UniverseRecord, members
from backend.ingest.errors import AllTickersFailedError, SourceSettingsError
from backend.ingest.pipeline import TickerOutcome, outcomes
from backend.ingest.sources.accounts import TiingoAccount
from backend.ingest.sources.contract import FetchRequest, PriceSource
from backend.ingest.sources.sample import sample
from backend.ingest.sources.selection import make_source
from backend.services.clock import utc_now
from backend.services.exchange_sessions import load_calendar
from backend.services.identities import Identities, identities, symbols_to_ask
from backend.services.ingest_batches import LEASE_TTL_S, BatchWriter, lease_name
from backend.services.ingest_queue import storing
from backend.services.universes import described, refuse_without_members, stored
from strategy.universe import members_on

Status = Literal["succeeded", "partial", "failed"]


class IngestOptions(TypedDict, total=False):
    """Keyword arguments of an ingest, all of them optional.

    Parameters
    ----------
    tickers : sequence of str or None
        Symbols as the source has them; None (default): every one that it lists.
    lookback_days : int
        Calendar days before the newest stored bar from which a ticker is fetched again, to catch restatements; 7.
    is_full : bool
        Fetch everything from `start`, whatever is stored.
    start : date or None
        First session to fetch of tickers of which nothing is stored, or of all with `is_full`. None: all there is.
    concurrency : int
        Tickers fetched at once; 8.
    batch_rows : int
        Bars after which a transaction is committed; 50,000. With dated symbols all is one transaction: the bars of
        an instrument come under several symbols, and are judged as one series.
    progress : callable or None
        Called with the tickers done and the tickers in all.
    """

    tickers: Sequence[str] | None
    lookback_days: int
    is_full: bool
    start: dt.date | None
    concurrency: int
    batch_rows: int
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The options with their defaults."""

    tickers: Sequence[str] | None = None
    lookback_days: int = 7
    is_full: bool = False
    start: dt.date | None = None
    concurrency: int = 8
    batch_rows: int = 50_000
    progress: Callable[[int, int], None] | None = None

    def __post_init__(self) -> None:
        for name, lowest in (("lookback_days", 0), ("concurrency", 1), ("batch_rows", 1)):
            if getattr(self, name) < lowest:
                raise SourceSettingsError(name, getattr(self, name), f"must be at least {lowest}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What a run did: rows_in = inserted + changed + unchanged + quarantined.

    `tickers` and `failed` count tickers, `actions` new splits and dividends; `failures` says how often each rule of
    `backend.ingest.quality.RULES` and each error class occurred, `fallbacks` how many tickers a later source gave, by
    the error class of the first, and `error` why the first ticker failed.
    """

    run_id: str
    universe: str
    source: str
    status: Status
    tickers: int
    rows_in: int
    inserted: int
    changed: int
    unchanged: int
    quarantined: int
    failed: int
    actions: int
    started_at: dt.datetime
    finished_at: dt.datetime
    failures: dict[str, int]
    fallbacks: dict[str, int]
    error: str | None

    def to_json(self) -> JsonObject:
        """The same as JSON can hold it: moments as text."""
        return {name: str(value) if isinstance(value, dt.datetime) else value for name, value in asdict(self).items()}


async def ingest_universe(
    engine: AsyncEngine,
    source: PriceSource,
    universe: UniverseRecord,
    *,
    clock: Callable[[], dt.datetime] = utc_now,
    **options: Unpack[IngestOptions],
) -> IngestReport:
    """Bring the bars and actions of a universe up to date; harmless to repeat. The caller closes the source.

    Raises
    ------
    LeaseHeldError
        If another run works on this universe.
    SourceSettingsError
        If the source refuses its settings, or neither it nor the options name a ticker.
    NoMembersError
        If the universe needs a list of its members first.
    AllTickersFailedError
        If not one ticker succeeded; the run is recorded as failed.
    """
    plan = _Plan(**options)
    tickers = sorted(set(await source.tickers() if plan.tickers is None else plan.tickers))
    if not tickers:
        raise SourceSettingsError("tickers", None, f"the source {source.name!r} cannot list its tickers: name them")
    run = RunRecord(
        id=uuid4().hex,
        universe_key=universe.key,
        source=source.name,
        status="running",
        started_at=clock(),
        lookback_days=None if plan.is_full else plan.lookback_days,
        tickers=len(tickers),
    )
    writer = await _begun(engine, run, universe, clock=clock, tickers=tickers)
    try:
        async with _lease_kept(writer), _calendar_read(universe.calendar):
            await _store(writer, source, _requests(tickers, writer.identities, plan), plan)
    except BaseException as error:
        # A database that is gone must not hide what happened: the next run finds this one unfinished.
        with suppress(DatabaseError, SQLAlchemyError):
            status = "failed" if isinstance(error, Exception) else "interrupted"
            await _end(writer, status, error=str(error) or type(error).__name__)
        raise
    return await _report(writer)


async def ingest_by_key(
    engine: AsyncEngine,
    key: str,
    *,
    tiingo: TiingoAccount | None = None,
    clock: Callable[[], dt.datetime] = utc_now,
    **options: Unpack[IngestOptions],
) -> IngestReport:
    """Ingest a universe, stored or of the registry, from its own source: its present members and its benchmark.

    With `is_full` former members, too; all that the source lists when there are no members. Raises as `ingest_universe`
    does, and `UnknownUniverseError` when there is no such universe.
    """
    async with transaction(engine) as connection:
        universe, stays = await described(connection, key)
        refuse_without_members(key, stays)
        today = clock().date()
        wanted = {stay.ticker for stay in (stays if options.get("is_full") else members_on(stays, today))}
        if wanted and universe.benchmark:
            wanted.add(universe.benchmark)
        symbols = await symbols_to_ask(connection, sorted(wanted), today=today)
    if options.get("tickers") is None and symbols:
        options["tickers"] = symbols
    source = make_source(universe.source, universe.source_options, tiingo=tiingo)
    try:
        return await ingest_universe(engine, source, universe, clock=clock, **options)
    finally:
        await source.close()


def sample_universe(which: str) -> UniverseRecord:
    """The universe of a bundled sample, "us5" or "us20"; `SourceSettingsError` when there is no such sample."""
    bundled = sample(which)
    return UniverseRecord(
        key=bundled.universe,
        name=bundled.title,
        currency="USD",
        calendar="XNYS",
        benchmark=None,
        source="sample",
        source_options={"which": which},
    )


async def _begun(
    engine: AsyncEngine,
    run: RunRecord,
    universe: UniverseRecord,
    *,
    clock: Callable[[], dt.datetime],
    tickers: Sequence[str],
) -> BatchWriter:
    async with transaction(engine) as connection:
        await acquire_lease(connection, lease_name(universe.key), run.id, ttl_s=LEASE_TTL_S, now=run.started_at)
        await mark_interrupted(connection, universe.key, finished_at=run.started_at)
        await stored(connection, universe, now=run.started_at)
        await start_run(connection, run)
        stays, _ = await members(connection, universe.key)
        refuse_without_members(universe.key, stays)
        today = run.started_at.astimezone(dt.UTC).date()
        found = await identities(connection, tickers, universe, today=today)
    return BatchWriter(
        engine=engine,
        run=run,
        identities=found,
        members={stay.ticker for stay in stays} | ({universe.benchmark} if universe.benchmark else set()),
        takes_members=universe.list_date is None,
        clock=clock,
    )


def _requests(tickers: Sequence[str], known: Identities, plan: _Plan) -> list[FetchRequest]:
    """What is stored least of comes first, so that a run that a vendor's limit ends early is continued by the next."""
    lookback = dt.timedelta(days=plan.lookback_days)
    newest = {ticker: date for ticker in tickers if (date := known.newest.get(known.id_of(ticker)))}
    stored = {} if plan.is_full else newest
    return [
        FetchRequest(ticker=ticker, start=stored[ticker] - lookback if ticker in stored else plan.start, end=None)
        for ticker in sorted(tickers, key=lambda ticker: (newest.get(ticker, dt.date.min), ticker))
    ]


async def _store(writer: BatchWriter, source: PriceSource, requests: Sequence[FetchRequest], plan: _Plan) -> None:
    today = writer.run.started_at.astimezone(dt.UTC).date()
    batch: list[TickerOutcome] = []
    ready_outcomes = outcomes(source, requests, concurrency=plan.concurrency, today=today)
    async with storing(writer) as store, aclosing(ready_outcomes) as ready:
        n_done = 0
        async for outcome in ready:
            batch.append(outcome)
            if not writer.identities.is_dated and sum(part.n_rows for part in batch) >= plan.batch_rows:
                await store(batch)
                batch = []
            n_done += 1
            if plan.progress is not None:
                plan.progress(n_done, len(requests))
        if batch:
            await store(batch)


@asynccontextmanager
async def _lease_kept(writer: BatchWriter) -> AsyncIterator[None]:
    """Renew the lease while the body runs, however long the vendor takes for a batch."""
    beating = asyncio.create_task(keep_lease(writer))
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


@asynccontextmanager
async def _calendar_read(calendar: str) -> AsyncIterator[None]:
    """Read the calendar, by which bars are judged, while the vendor is asked for the first of them."""
    reading = asyncio.create_task(load_calendar(calendar))
    try:
        yield
    finally:
        await reading


async def keep_lease(writer: BatchWriter, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Renew the lease of a run three times in its time to live, until cancelled."""
    while True:
        await sleep(LEASE_TTL_S / 3)
        # When it fails, the next batch fails too, and says why.
        with suppress(DatabaseError, SQLAlchemyError):
            async with transaction(writer.engine) as connection:
                name = lease_name(writer.run.universe_key)
                await renew_lease(connection, name, writer.run.id, ttl_s=LEASE_TTL_S, now=writer.clock())


async def _end(writer: BatchWriter, status: str, *, error: str | None) -> dt.datetime:
    now = writer.clock()
    async with transaction(writer.engine) as connection:
        await finish_run(connection, writer.run.id, status=status, finished_at=now, error=error)
        await release_lease(connection, lease_name(writer.run.universe_key), writer.run.id)
    return now


async def _count(writer: BatchWriter) -> None:
    """Count what is stored of the universe, so that who asks for its status need not."""
    key, now = writer.run.universe_key, writer.clock()
    async with transaction(writer.engine) as connection:
        # First, so that SQLite takes its write lock at once.
        await renew_lease(connection, lease_name(key), writer.run.id, ttl_s=LEASE_TTL_S, now=now)
        stays, _ = await members(connection, key)
        await count_coverage(connection, [stay.ticker for stay in stays])


async def _report(writer: BatchWriter) -> IngestReport:
    run, counts = writer.run, writer.counts
    status: Status = "failed" if counts.failed == run.tickers else "partial" if counts.failed else "succeeded"
    await _count(writer)
    finished_at = await _end(writer, status, error=writer.first_failure)
    if status == "failed":
        raise AllTickersFailedError(run.universe_key, run.id, run.tickers, writer.first_failure or "")
    return IngestReport(
        run_id=run.id,
        universe=run.universe_key,
        source=run.source,
        status=status,
        tickers=run.tickers,
        actions=writer.n_actions,
        started_at=run.started_at,
        finished_at=finished_at,
        failures=dict(sorted(writer.reasons.items())),
        fallbacks=dict(sorted(writer.fallbacks.items())),
        error=writer.first_failure,
        **asdict(counts),
    )
