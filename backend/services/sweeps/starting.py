"""Start a sweep, or find it: a spec, a measured trial, a budget that holds, a row, a job.

1. The request is resolved to a spec, whose hash is the sweep id. If that sweep is there, it is the answer; one that
   failed, was cancelled, lost its worker, or may use more than before, goes on where it was.
2. Otherwise its trials are counted, one of them is measured, and the budget is held against both.
3. The sweep and its job are written in one transaction, and then the job is sent.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from aws.s3_cache import ObjectStore
from backend.database.connection import transaction
from backend.database.jobs import JobRecord, add_job, get_job, requeue_job
from backend.database.sweeps import SweepRecord, add_sweep, find_sweep, get_sweep, set_budget
from backend.services.backtests import BacktestRequest, resolved_spec
from backend.services.clock import utc_now
from backend.services.errors import RequestError
from backend.services.jobs import SWEEP, JobQueue, watched_job
from backend.services.sweeps.budgets import Budget, Price
from strategy.registry import find_strategy
from strategy.sweeps.batches import batch_size
from strategy.sweeps.expansion import Space
from strategy.sweeps.spec import SweepSpec, WalkForward, fixed_parameters

if TYPE_CHECKING:
    from strategy.panel import PricePanel

#: Returns that a summary holds at once: 160 MB, of a worker's 1.7 GB.
MOST_RETURNS = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """What a caller asks for: a backtest, the space to search, and what that may use."""

    base: BacktestRequest
    space: Space
    walk_forward: WalkForward | None = None
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedSweep:
    """A sweep and the job that does it."""

    sweep: SweepRecord
    job: JobRecord


async def start_sweep(
    engine: AsyncEngine, store: ObjectStore, queue: JobQueue, request: SweepRequest, *, price: Price
) -> StartedSweep:
    """Start the sweep of a request, or find it.

    Raises
    ------
    RequestError, ParameterError
        If a field is wrong, or the budget does not hold what is asked for.
    """
    spec = await resolved_sweep(engine, store, request)
    async with transaction(engine) as connection:
        found = await find_sweep(connection, spec.sweep_id)
        is_sent = found is not None and await _goes_on(connection, found, request.budget, price)
    if found is None:
        record = await _measured(store, spec, request.budget, price)
        is_sent = await _added(engine, record)
    if is_sent:
        await queue.send(spec.sweep_id[:32])
    return await started(engine, spec.sweep_id)


async def resume_sweep(
    engine: AsyncEngine, queue: JobQueue, sweep_id: str, *, budget: Budget | None, price: Price
) -> StartedSweep:
    """Let a stored sweep go on where it was, with another budget or, for None, the one it has.

    Raises
    ------
    UnknownSweepError
        If there is none of this id.
    RequestError
        If the budget allows fewer trials than it has.
    """
    async with transaction(engine) as connection:
        sweep = await get_sweep(connection, sweep_id)
        is_sent = await _goes_on(connection, sweep, budget or Budget(**sweep.budget), price)
    if is_sent:
        await queue.send(sweep.job_id)
    return await started(engine, sweep_id)


async def started(engine: AsyncEngine, sweep_id: str) -> StartedSweep:
    """A sweep and its job; `UnknownSweepError` when there is none of this id."""
    async with transaction(engine) as connection:
        sweep = await get_sweep(connection, sweep_id)
        return StartedSweep(sweep=sweep, job=await get_job(connection, sweep.job_id))


async def watched_sweep(engine: AsyncEngine, queue: JobQueue, sweep_id: str) -> StartedSweep:
    """The same, once a job that was lost was handed out again, or has failed."""
    async with transaction(engine) as connection:
        job_id = (await get_sweep(connection, sweep_id)).job_id
    await watched_job(engine, queue, job_id)
    return await started(engine, sweep_id)


async def resolved_sweep(engine: AsyncEngine, store: ObjectStore, request: SweepRequest) -> SweepSpec:
    """The complete spec of a request."""
    base = await resolved_spec(engine, store, replace(request.base, parameters={}))
    strategy = find_strategy(base.strategy)
    fixed = fixed_parameters(strategy, request.base.parameters, request.space.axes)
    space = replace(request.space, n_samples=0, seed=0) if request.space.method == "grid" else request.space
    return SweepSpec(base=replace(base, parameters=fixed), space=space, walk_forward=request.walk_forward)


async def _goes_on(connection: AsyncConnection, sweep: SweepRecord, budget: Budget, price: Price) -> bool:
    """Whether the job is to be sent again; the new budget holds from now on."""
    job = await get_job(connection, sweep.job_id)
    state = json.loads(sweep.document)["state"] if sweep.document else None
    if job.status == "succeeded" and state == "complete":
        return False
    if job.status == "succeeded":
        used = json.loads(sweep.document or "{}")["used"]["seconds"]
        if budget.used_up(used, price) is not None:
            return False
    budget.require_trials(sweep.n_trials)
    await set_budget(connection, sweep.id, budget.to_json())
    return await requeue_job(connection, job.id, now=utc_now())


async def _measured(store: ObjectStore, spec: SweepSpec, budget: Budget, price: Price) -> SweepRecord:
    # Here and not above: a sweep that is there is found without numpy and pyarrow.
    from backend.services.panels import panels_of  # noqa: PLC0415
    from backend.services.sweeps.computing import run_each, specs_of  # noqa: PLC0415

    text = spec.canonical_json()
    specs = await asyncio.to_thread(specs_of, text)
    budget.require_trials(len(specs))
    panels = await panels_of(store, spec.base)
    _require_room(len(specs), panels.panel.n_dates)
    _require_splits(spec, panels.panel)
    began = perf_counter()
    await asyncio.to_thread(run_each, panels, specs[:1])
    trial_seconds = perf_counter() - began
    budget.require_estimate(len(specs), trial_seconds, price)
    return SweepRecord(
        id=spec.sweep_id,
        spec=json.loads(text),
        budget=budget.to_json(),
        job_id=spec.sweep_id[:32],
        n_trials=len(specs),
        batch_size=batch_size(len(specs), trial_seconds),
        trial_seconds=trial_seconds,
        document=None,
        created_at=utc_now(),
    )


async def _added(engine: AsyncEngine, record: SweepRecord) -> bool:
    """Write the sweep and its job; False when another request was first."""
    async with transaction(engine) as connection:
        await add_sweep(connection, record)
        return await add_job(connection, record.job_id, SWEEP, {"sweep_id": record.id}, now=utc_now())


def _require_splits(spec: SweepSpec, panel: PricePanel) -> None:
    """Raise now what would otherwise end the sweep when all its trials are done."""
    if spec.walk_forward is None:
        return
    import numpy as np  # noqa: PLC0415  cold start

    from strategy.validation.splits import walk_forward  # noqa: PLC0415  cold start

    walk = spec.walk_forward
    n_returns = int((panel.sessions >= np.datetime64(spec.base.start, "D")).sum()) - 1
    walk_forward(n_returns, n_train=walk.n_train, n_test=walk.n_test, purge=walk.purge, is_anchored=walk.is_anchored)


def _require_room(n_trials: int, n_sessions: int) -> None:
    if n_trials * n_sessions > MOST_RETURNS:
        most = MOST_RETURNS // n_sessions
        raise RequestError("axes", n_trials, f"trials of {n_sessions} sessions are too many: at most {most}")
