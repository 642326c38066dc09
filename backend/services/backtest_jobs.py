"""The job that runs one backtest, for one that takes longer than a request may: the same result under the same id."""

from __future__ import annotations

import json

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from aws.s3_cache import ObjectStore
from backend.database.backtests import find_document
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
    """The stored result of a request, or else the job that computes it: one job for one spec, however often asked for.

    The request is resolved now, so that what is wrong with it is said at once, and so that the snapshot is the one of
    this moment. A job that failed or was cancelled is begun anew.
    """
    spec = await resolved_spec(engine, store, request)
    async with transaction(engine) as connection:
        document = await find_document(connection, spec.backtest_id)
        if document is not None:
            return StoredBacktest(id=spec.backtest_id, document=document, is_new=False)
        is_sent = await _queued(connection, spec)
    if is_sent:
        await queue.send(_job_id(spec))
    async with transaction(engine) as connection:
        return await get_job(connection, _job_id(spec))


async def backtested(worker: Worker, job: JobRecord) -> JsonObject:
    """Do the job; a repeat finds the stored result."""
    spec = BacktestSpec.from_json(json.dumps(job.payload["spec"]).encode())
    async with transaction(worker.engine) as connection:
        is_known = await find_document(connection, spec.backtest_id) is not None
    if not is_known:
        await run_spec(worker.engine, worker.store, spec, origin="http")
    return {"backtest_id": spec.backtest_id}


async def _queued(connection: AsyncConnection, spec: BacktestSpec) -> bool:
    """Record the job; False when somebody is at it."""
    if await find_job(connection, _job_id(spec)) is not None:
        return await requeue_job(connection, _job_id(spec), now=utc_now())
    payload = {"backtest_id": spec.backtest_id, "spec": json.loads(spec.canonical_json())}
    return await add_job(connection, _job_id(spec), BACKTEST, payload, now=utc_now())


def _job_id(spec: BacktestSpec) -> str:
    return spec.backtest_id[:32]
