"""Sweeps, and their batches that are done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.column_types import JsonObject
from backend.database.errors import UnknownSweepError
from backend.database.inserts import insert_if_absent, row_of
from backend.database.models.jobs import Job
from backend.database.models.results import Sweep, SweepBatch
from backend.database.paging import newest_first
from backend.database.trials import TrialRecord, add_trials


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRecord:
    """A sweep: its spec, what it may use, the job that does it, and its document once it has ended."""

    id: str
    spec: JsonObject
    budget: JsonObject
    job_id: str
    n_trials: int
    batch_size: int
    trial_seconds: float
    document: str | None
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSweep:
    """A line of the list of sweeps.

    `status` and `progress` are those of its job; `state` is "complete" or "budget reached", None until it has ended.
    """

    id: str
    created_at: dt.datetime
    strategy: str
    universe: str
    n_trials: int
    status: str
    progress: float
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """A batch that is done: keys of its tables in the cache, and the processor's seconds that it took."""

    sweep_id: str
    number: int
    trials_key: str
    equity_key: str
    n_trials: int
    seconds: float
    created_at: dt.datetime


async def find_sweep(connection: AsyncConnection, sweep_id: str) -> SweepRecord | None:
    """The sweep of this id, None when there is none."""
    row = (await connection.execute(select(Sweep.__table__).where(Sweep.id == sweep_id))).one_or_none()
    return SweepRecord(**row._mapping) if row else None


async def get_sweep(connection: AsyncConnection, sweep_id: str) -> SweepRecord:
    """The sweep of this id; `UnknownSweepError` when there is none."""
    found = await find_sweep(connection, sweep_id)
    if found is None:
        raise UnknownSweepError(sweep_id)
    return found


async def sweep_ids_that_begin(connection: AsyncConnection, text: str, *, limit: int = 2) -> list[str]:
    """Ids of sweeps that begin with a text: people copy a part of one."""
    query = select(Sweep.id).where(Sweep.id.startswith(text, autoescape=True)).order_by(Sweep.id).limit(limit)
    return list((await connection.scalars(query)).all())


async def list_sweeps(
    connection: AsyncConnection, *, before: tuple[dt.datetime, str] | None, limit: int
) -> list[ListedSweep]:
    """Sweeps, newest first, those behind the cursor `before`."""
    columns = select(Sweep.id, Sweep.created_at, Sweep.spec, Sweep.n_trials, Job.status, Job.progress, Job.result)
    joined = columns.join(Job, Job.id == Sweep.job_id)
    query = newest_first(joined, Sweep.created_at, Sweep.id, before=before, limit=limit)
    return [
        ListedSweep(
            id=row.id,
            created_at=row.created_at,
            strategy=row.spec["base"]["strategy"],
            universe=row.spec["base"]["universe"],
            n_trials=row.n_trials,
            status=row.status,
            progress=row.progress,
            state=(row.result or {}).get("state"),
        )
        for row in (await connection.execute(query)).all()
    ]


async def add_sweep(connection: AsyncConnection, sweep: SweepRecord) -> None:
    """Record a sweep; one that is there already stays as it is."""
    await connection.execute(insert_if_absent(connection, Sweep), row_of(sweep))


async def set_budget(connection: AsyncConnection, sweep_id: str, budget: JsonObject) -> None:
    """Let a sweep use something else than it could before."""
    await connection.execute(update(Sweep).where(Sweep.id == sweep_id).values(budget=budget))


async def set_document(connection: AsyncConnection, sweep_id: str, document: str) -> None:
    """Keep what was found so far."""
    await connection.execute(update(Sweep).where(Sweep.id == sweep_id).values(document=document))


async def done_batches(connection: AsyncConnection, sweep_id: str) -> list[BatchRecord]:
    """Batches of a sweep that are done, in order."""
    query = select(SweepBatch.__table__).where(SweepBatch.sweep_id == sweep_id).order_by(SweepBatch.number)
    return [BatchRecord(**row._mapping) for row in (await connection.execute(query)).all()]


async def store_batch(connection: AsyncConnection, batch: BatchRecord, trials: Sequence[TrialRecord]) -> None:
    """Record a batch as done, and its lines of the ledger, in the caller's transaction; what is there stays."""
    await add_trials(connection, trials)
    await connection.execute(insert_if_absent(connection, SweepBatch), row_of(batch))
