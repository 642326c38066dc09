"""Do a sweep: batch by batch, each stored with its lines of the ledger in one transaction, none of them twice.

On a laptop `swept` computes the batches that are not done, on the pool. In AWS it writes their list to the cache and
starts Step Functions, which call `run_batch` for each and `finish_sweep` at the end. Whoever is killed, what is stored
is done; whoever comes next begins with the rest.
"""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import aclosing

from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.column_types import JsonObject
from backend.database.connection import transaction
from backend.database.jobs import JobRecord, get_job
from backend.database.sweeps import BatchRecord, SweepRecord, done_batches, get_sweep, set_document, store_batch
from backend.services.clock import utc_now
from backend.services.errors import RequestError
from backend.services.jobs import Pulse, Worker, ended, pulse
from backend.services.panels import panels_of
from backend.services.sweeps.budgets import Budget
from backend.services.sweeps.computing import BatchDone, BatchOrder, computed_batch
from backend.services.sweeps.documents import sweep_document
from strategy.sweeps.spec import SweepSpec


async def swept(worker: Worker, job: JobRecord, told: Pulse) -> JsonObject | None:
    """Do the sweep of a job to its end, or to that of its budget; None where Step Functions go on with it."""
    sweep = await _sweep(worker.engine, job.payload["sweep_id"])
    done = await _done(worker.engine, sweep.id)
    orders = _orders(sweep, {batch.number for batch in done})
    if worker.sweeps.fan_out is not None:
        await worker.sweeps.fan_out(
            sweep.id, f"{sweep.id[:32]}-{utc_now():%Y%m%d%H%M%S}", await _listed(worker, orders)
        )
        return None
    await _on_the_pool(worker, sweep, orders, told)
    return await _document(worker, sweep)


async def run_batch(worker: Worker, sweep_id: str, number: int) -> str:
    """One batch, in a worker of its own.

    Returns
    -------
    str
        "done", "known" when it was done before, or why it was left out: "cancelled", "budget reached".

    Raises
    ------
    UnknownSweepError, RequestError
        If there is no such sweep, or no batch of this number.
    """
    sweep = await _sweep(worker.engine, sweep_id)
    if number >= _n_batches(sweep):
        raise RequestError("batch", number, f"the sweep has {_n_batches(sweep)}, counted from 0")
    done = await _done(worker.engine, sweep_id)
    async with transaction(worker.engine) as connection:
        job = await get_job(connection, sweep.job_id)
    if number in {batch.number for batch in done}:
        return "known"
    if job.status != "running":
        return "cancelled"
    if _reached(worker, sweep, done) is not None:
        return "budget reached"
    async with pulse(worker.engine, job.id) as told:
        told.report(len(done), _n_batches(sweep))
        (order,) = (order for order in _orders(sweep, set()) if order.number == number)
        panels = await panels_of(worker.store, SweepSpec.from_json(order.sweep).base)
        await _store(worker.engine, await computed_batch(worker.store, panels, order, utc_now()))
    return "done"


async def finish_sweep(worker: Worker, sweep_id: str, *, error: str | None = None) -> JobRecord:
    """Gather what the batches found, and end the job: well, or with the reason why it could not be done."""
    sweep = await _sweep(worker.engine, sweep_id)
    if error is not None:
        return await ended(worker.engine, sweep.job_id, "failed", error=error)
    async with pulse(worker.engine, sweep.job_id) as told:
        told.progress = 1.0
        result = await _document(worker, sweep)
    return await ended(worker.engine, sweep.job_id, "succeeded", result=result)


async def _on_the_pool(worker: Worker, sweep: SweepRecord, orders: list[BatchOrder], told: Pulse) -> None:
    from backend.services.sweeps.pool import computed  # noqa: PLC0415  never in AWS

    done = await _done(worker.engine, sweep.id)
    seconds, n_done, n_batches = sum(batch.seconds for batch in done), len(done), _n_batches(sweep)
    budget = Budget(**sweep.budget)
    told.report(n_done, n_batches)
    if not orders or budget.used_up(seconds, worker.sweeps.price) is not None:
        return
    async with aclosing(computed(worker.sweeps, orders, utc_now)) as batches:
        async for batch in batches:
            await _store(worker.engine, batch)
            seconds, n_done = seconds + batch.batch.seconds, n_done + 1
            told.report(n_done, n_batches)
            if budget.used_up(seconds, worker.sweeps.price) is not None:
                return


async def _store(engine: AsyncEngine, done: BatchDone) -> None:
    async with transaction(engine) as connection:
        await store_batch(connection, done.batch, done.trials)


async def _document(worker: Worker, sweep: SweepRecord) -> JsonObject:
    """Keep what was found; the job's result is its state."""
    done = await _done(worker.engine, sweep.id)
    reached = _reached(worker, sweep, done)
    document = await sweep_document(worker.store, sweep, done, reached=reached, price=worker.sweeps.price)
    async with transaction(worker.engine) as connection:
        await set_document(connection, sweep.id, document)
    body = json.loads(document)
    return {"sweep_id": sweep.id, "state": body["state"], "n_done": body["n_done"]}


async def _listed(worker: Worker, orders: list[BatchOrder]) -> str:
    """Key of the object that lists the batches for Step Functions."""
    items = [{"sweep_id": order.sweep_id, "batch": order.number} for order in orders]
    data = json.dumps(items).encode()
    key = f"objects/{hashlib.sha256(data).hexdigest()}.json"
    await worker.store.put(key, data)
    return key


def _orders(sweep: SweepRecord, done: set[int]) -> list[BatchOrder]:
    text = json.dumps(sweep.spec).encode()
    return [
        BatchOrder(sweep_id=sweep.id, sweep=text, number=number, size=sweep.batch_size)
        for number in range(_n_batches(sweep))
        if number not in done
    ]


def _n_batches(sweep: SweepRecord) -> int:
    return math.ceil(sweep.n_trials / sweep.batch_size)


def _reached(worker: Worker, sweep: SweepRecord, done: list[BatchRecord]) -> str | None:
    """Name of the limit that keeps the sweep from being complete, None where there is none."""
    if len(done) == _n_batches(sweep):
        return None
    return Budget(**sweep.budget).used_up(sum(batch.seconds for batch in done), worker.sweeps.price)


async def _sweep(engine: AsyncEngine, sweep_id: str) -> SweepRecord:
    async with transaction(engine) as connection:
        return await get_sweep(connection, sweep_id)


async def _done(engine: AsyncEngine, sweep_id: str) -> list[BatchRecord]:
    async with transaction(engine) as connection:
        return await done_batches(connection, sweep_id)
