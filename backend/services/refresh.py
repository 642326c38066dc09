"""The job that brings a universe up to date: its bars, and then its snapshot."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.column_types import JsonObject
from backend.database.connection import transaction
from backend.database.errors import LeaseHeldError
from backend.database.jobs import JobRecord, active_jobs, add_job, find_job, get_job
from backend.database.universes import get_universe
from backend.services.clock import utc_now
from backend.services.jobs import REFRESH, JobQueue, Pulse, Worker

if TYPE_CHECKING:
    from backend.services.ingest import IngestReport

#: For another run at the same universe to end.
_PATIENCE_S = 300.0


async def start_refresh(
    engine: AsyncEngine, queue: JobQueue, universe: str, *, lookback_days: int, idempotency_key: str | None = None
) -> JobRecord:
    """The job that brings a universe up to date; `UnknownUniverseError` when there is no such universe.

    A universe that is being refreshed gives the job that does it. The same idempotency key gives the same job, also
    after it has ended.
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


async def refreshed(worker: Worker, job: JobRecord, told: Pulse) -> JsonObject:
    """Do the job; the result is the report of the ingest, and the snapshot."""
    # Here and not above: starting a job needs neither the sources nor the blocks.
    from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random  # noqa: PLC0415

    from backend.services.ingest import ingest_by_key  # noqa: PLC0415
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
        progress=told.report,
    )
    built = await build_snapshot(worker.engine, worker.store, universe)
    return done.to_json() | {"snapshot": built.snapshot_id}
