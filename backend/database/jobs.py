"""Jobs: what takes longer than a request is a row first, then a message, and the row says what became of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.column_types import JsonObject
from backend.database.errors import DatabaseError
from backend.database.inserts import insert_if_absent
from backend.database.models.jobs import Job

#: A running job that was silent for so long has lost its worker, which tells of itself every second.
SILENCE = dt.timedelta(seconds=60)
#: A queued job that nobody took for so long has lost its message.
WAIT = dt.timedelta(minutes=15)


class UnknownJobError(DatabaseError):
    """No job has this id."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(f"unknown job {job_id!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job; `status` is queued, running, succeeded, failed or cancelled, `progress` 0 to 1."""

    id: str
    kind: str
    status: str
    payload: JsonObject
    result: JsonObject | None
    error: str | None
    progress: float
    attempts: int
    created_at: dt.datetime
    updated_at: dt.datetime


async def add_job(
    connection: AsyncConnection, job_id: str, kind: str, payload: JsonObject, *, now: dt.datetime
) -> bool:
    """Record a job that waits for a worker; False when there is one of this id."""
    row = {"id": job_id, "kind": kind, "status": "queued", "payload": payload, "created_at": now, "updated_at": now}
    return (await connection.execute(insert_if_absent(connection, Job), row)).rowcount == 1


async def get_job(connection: AsyncConnection, job_id: str) -> JobRecord:
    """One job; `UnknownJobError` when there is none of this id."""
    found = await find_job(connection, job_id)
    if found is None:
        raise UnknownJobError(job_id)
    return found


async def find_job(connection: AsyncConnection, job_id: str) -> JobRecord | None:
    """One job, None when there is none of this id."""
    columns = [getattr(Job, field.name) for field in fields(JobRecord)]
    row = (await connection.execute(select(*columns).where(Job.id == job_id))).one_or_none()
    return JobRecord(**row._mapping) if row else None


async def active_jobs(connection: AsyncConnection, kind: str, *, now: dt.datetime) -> list[JobRecord]:
    """Jobs of a kind that wait or are worked on, oldest first; without those that lost their worker or message."""
    columns = [getattr(Job, field.name) for field in fields(JobRecord)]
    running = and_(Job.status == "running", Job.updated_at > now - SILENCE)
    queued = and_(Job.status == "queued", Job.updated_at > now - WAIT)
    query = select(*columns).where(Job.kind == kind, or_(running, queued)).order_by(Job.created_at, Job.id)
    return [JobRecord(**row._mapping) for row in (await connection.execute(query)).all()]


async def claim_job(connection: AsyncConnection, job_id: str, *, now: dt.datetime) -> bool:
    """Take a job that waits, or whose worker fell silent; False when somebody else has it, or it has ended."""
    is_free = or_(Job.status == "queued", and_(Job.status == "running", Job.updated_at <= now - SILENCE))
    values = {"status": "running", "attempts": Job.attempts + 1, "updated_at": now}
    return (await connection.execute(update(Job).where(Job.id == job_id, is_free).values(values))).rowcount == 1


async def report_progress(connection: AsyncConnection, job_id: str, progress: float, *, now: dt.datetime) -> bool:
    """Say that a running job is alive, and how far it is; False when it runs no longer, as after a cancellation."""
    values = {"progress": progress, "updated_at": now}
    statement = update(Job).where(Job.id == job_id, Job.status == "running").values(values)
    return (await connection.execute(statement)).rowcount == 1


async def cancel_job(connection: AsyncConnection, job_id: str, *, now: dt.datetime) -> None:
    """End a job that waits or is worked on, whose worker stops when it next tells of itself; an ended one stays so."""
    is_active = Job.status.in_(("queued", "running"))
    values = {"status": "cancelled", "updated_at": now}
    await connection.execute(update(Job).where(Job.id == job_id, is_active).values(values))


async def requeue_job(connection: AsyncConnection, job_id: str, *, now: dt.datetime) -> bool:
    """Let a job that has ended, or lost its worker or message, begin anew; False when somebody is at it."""
    ended = Job.status.in_(("succeeded", "failed", "cancelled"))
    silent = and_(Job.status == "running", Job.updated_at <= now - SILENCE)
    lost = and_(Job.status == "queued", Job.updated_at <= now - WAIT)
    values = {"status": "queued", "attempts": 0, "progress": 0.0, "result": None, "error": None, "updated_at": now}
    statement = update(Job).where(Job.id == job_id, or_(ended, silent, lost)).values(values)
    return (await connection.execute(statement)).rowcount == 1


def is_lost(job: JobRecord, *, now: dt.datetime) -> bool:
    """Whether a job lost its worker, or its message."""
    silence = {"running": SILENCE, "queued": WAIT}.get(job.status)
    return silence is not None and job.updated_at <= now - silence


async def release_lost_job(connection: AsyncConnection, job_id: str, *, most_attempts: int, now: dt.datetime) -> bool:
    """Let a job that was lost wait for a worker again, and its attempts count: True when it is to be sent.

    One that lost its worker in the last of `most_attempts` has failed. False then, and when somebody was quicker.
    """
    silent = and_(Job.id == job_id, Job.status == "running", Job.updated_at <= now - SILENCE)
    unsent = and_(Job.id == job_id, Job.status == "queued", Job.updated_at <= now - WAIT)
    waits = update(Job).where(or_(unsent, and_(silent, Job.attempts < most_attempts)))
    if (await connection.execute(waits.values(status="queued", updated_at=now))).rowcount == 1:
        return True
    error = f"its worker fell silent, in attempt {most_attempts} of {most_attempts}; begin it again"
    await connection.execute(update(Job).where(silent).values(status="failed", error=error, updated_at=now))
    return False


async def end_job(
    connection: AsyncConnection,
    job_id: str,
    status: str,
    *,
    now: dt.datetime,
    result: JsonObject | None = None,
    error: str | None = None,
) -> None:
    """Record how a running job ended; status queued puts it back to be tried again."""
    values: JsonObject = {"status": status, "result": result, "error": error, "updated_at": now}
    if status == "succeeded":
        values["progress"] = 1.0
    await connection.execute(update(Job).where(Job.id == job_id, Job.status == "running").values(values))
