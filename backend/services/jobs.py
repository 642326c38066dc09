"""Jobs of the data area: started by a request, done by a worker, in this process or in a Lambda.

1. `start_refresh` writes the row and sends its id; a universe that is being refreshed gives the job that does it.
2. `run_job` claims the row, works, tells of itself every second, and records the end.
3. A job that fails is tried once more; what fails for good says so in its row and raises, for a dead letter.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from aws.s3_cache import ObjectStore
from backend.database.column_types import JsonObject
from backend.database.connection import transaction
from backend.database.errors import DatabaseError, LeaseHeldError
from backend.database.jobs import (
    JobRecord,
    active_jobs,
    add_job,
    claim_job,
    end_job,
    find_job,
    get_job,
    report_progress,
)
from backend.database.universes import get_universe
from backend.ingest.sources.accounts import TiingoAccount
from backend.services.clock import utc_now
from backend.services.errors import JobFailedError

REFRESH = "refresh"
MOST_ATTEMPTS = 2
_PULSE_S = 1.0
#: For another run at the same universe to end.
_PATIENCE_S = 300.0


class JobQueue(Protocol):
    """Hands jobs to a worker."""

    async def send(self, job_id: str) -> None:
        """Hand a job over."""
        ...

    async def close(self) -> None:
        """Release what it holds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """What a job works with."""

    engine: AsyncEngine
    store: ObjectStore
    tiingo: Callable[[], TiingoAccount | None]
    concurrency: int


async def start_refresh(
    engine: AsyncEngine, queue: JobQueue, universe: str, *, lookback_days: int, idempotency_key: str | None = None
) -> JobRecord:
    """The job that brings a universe up to date; `UnknownUniverseError` when there is no such universe.

    The same idempotency key gives the same job, also after it has ended.
    """
    job_id = hashlib.sha256(idempotency_key.encode()).hexdigest()[:32] if idempotency_key else uuid4().hex
    async with transaction(engine) as connection:
        await get_universe(connection, universe)
        known = await find_job(connection, job_id)
        active = await active_jobs(connection, REFRESH, now=utc_now())
        same = known or next((job for job in active if job.payload["universe"] == universe), None)
        if same is not None:
            return same
        payload = {"universe": universe, "lookback_days": lookback_days}
        await add_job(connection, job_id, REFRESH, payload, now=utc_now())
    # Only now, so that a worker finds the row; if the message is lost, the row says queued and is not waited for long.
    await queue.send(job_id)
    async with transaction(engine) as connection:
        return await get_job(connection, job_id)


async def run_job(worker: Worker, job_id: str) -> JobRecord:
    """Do a job, or find that it is done or being done; harmless to repeat.

    Raises
    ------
    UnknownJobError
        If there is no such job.
    JobFailedError
        If the job failed, now or before; `is_final` says whether it will be tried again.
    """
    async with transaction(worker.engine) as connection:
        is_ours = await claim_job(connection, job_id, now=utc_now())
        job = await get_job(connection, job_id)
    if not is_ours:
        if job.status == "failed":
            raise JobFailedError(job_id, job.error or "", is_final=True)
        return job
    try:
        async with _pulse(worker.engine, job_id) as report:
            result = await _refreshed(worker, job, report)
    except BaseException as error:
        is_final = job.attempts >= MOST_ATTEMPTS or not isinstance(error, Exception)
        with suppress(DatabaseError, SQLAlchemyError):  # a database that is gone must not hide what happened
            await _ended(worker.engine, job_id, "failed" if is_final else "queued", error=str(error) or repr(error))
        if isinstance(error, Exception):
            raise JobFailedError(job_id, str(error), is_final=is_final) from error
        raise
    return await _ended(worker.engine, job_id, "succeeded", result=result)


async def _refreshed(worker: Worker, job: JobRecord, report: Callable[[int, int], None]) -> JsonObject:
    # Here and not above: starting a job needs neither the sources nor the blocks.
    from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random  # noqa: PLC0415

    from backend.services.ingest import IngestReport, ingest_by_key  # noqa: PLC0415
    from backend.services.snapshots import build_snapshot  # noqa: PLC0415

    universe = job.payload["universe"]
    # Another run at the universe, such as the scheduled one, is waited for.
    turns = AsyncRetrying(
        retry=retry_if_exception_type(LeaseHeldError),
        stop=stop_after_delay(_PATIENCE_S),
        wait=wait_random(0.2, 2.0),
        reraise=True,
    )
    done: IngestReport = await turns(
        ingest_by_key,
        worker.engine,
        universe,
        tiingo=worker.tiingo(),
        lookback_days=job.payload["lookback_days"],
        concurrency=worker.concurrency,
        progress=report,
    )
    built = await build_snapshot(worker.engine, worker.store, universe)
    return done.to_json() | {"snapshot": built.snapshot_id}


@asynccontextmanager
async def _pulse(engine: AsyncEngine, job_id: str) -> AsyncIterator[Callable[[int, int], None]]:
    """Record once a second how far the body says it is."""
    progress = 0.0

    def report(done: int, total: int) -> None:
        nonlocal progress
        progress = done / total if total else 0.0

    async def beat() -> None:
        while True:
            await asyncio.sleep(_PULSE_S)
            with suppress(DatabaseError, SQLAlchemyError):  # the work itself will meet it, too, and says so
                async with transaction(engine) as connection:
                    await report_progress(connection, job_id, progress, now=utc_now())

    beating = asyncio.create_task(beat())
    try:
        yield report
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def _ended(
    engine: AsyncEngine, job_id: str, status: str, *, result: JsonObject | None = None, error: str | None = None
) -> JobRecord:
    async with transaction(engine) as connection:
        await end_job(connection, job_id, status, now=utc_now(), result=result, error=error)
        return await get_job(connection, job_id)


class InProcessQueue:
    """Does jobs in this process, beside the requests: a laptop's worker.

    Parameters
    ----------
    run : callable
        Does the job of an id; raises `JobFailedError`.
    """

    def __init__(self, run: Callable[[str], Awaitable[object]]) -> None:
        self._run = run
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, job_id: str) -> None:
        """Begin the job."""
        task = asyncio.create_task(self._attempts(job_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop what is under way; its row says so."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _attempts(self, job_id: str) -> None:
        is_over = False
        while not is_over:
            try:
                await self._run(job_id)
                is_over = True
            except JobFailedError as error:
                is_over = error.is_final  # the row has the reason
