"""A backtest that may take longer than a request, as a job."""

from __future__ import annotations

import json

from sqlalchemy.ext.asyncio import AsyncEngine

from aws.s3_cache import ObjectStore
from backend.database.backtests import find_backtest
from backend.database.column_types import JsonObject
from backend.database.connection import transaction
from backend.database.jobs import JobRecord, add_job, find_job, get_job, requeue_job
from backend.services.backtests import BacktestRequest, StoredBacktest, resolved_spec, run_spec
from backend.services.clock import utc_now
from backend.services.jobs import BACKTEST, JobQueue, Worker
from strategy.backtest.spec import BacktestSpec


async def start_backtest(
    engine: AsyncEngine, store: ObjectStore, queue: JobQueue, request: BacktestRequest
) -> StoredBacktest | JobRecord:
    """The stored backtest of the request, or the job that runs it; what failed or was cancelled begins anew."""
    spec = await resolved_spec(engine, store, request)
    job_id = spec.backtest_id[:32]
    async with transaction(engine) as connection:
        stored = await find_backtest(connection, spec.backtest_id)
        if stored is not None:
            return StoredBacktest(id=stored.id, document=stored.document, is_new=False)
        is_sent = True
        if await find_job(connection, job_id) is not None:
            is_sent = await requeue_job(connection, job_id, now=utc_now())
        else:
            payload = {"spec": spec.canonical_json().decode()}
            await add_job(connection, job_id, BACKTEST, payload, now=utc_now())
    if is_sent:
        await queue.send(job_id)
    async with transaction(engine) as connection:
        return await get_job(connection, job_id)


async def backtested(worker: Worker, job: JobRecord) -> JsonObject:
    """Do the job; the result is the id of the backtest."""
    spec = BacktestSpec.from_json(job.payload["spec"])
    done = await run_spec(worker.engine, worker.store, spec, origin="http")
    return {"backtest_id": done.id, "n_sessions": json.loads(done.document)["n_sessions"]}
