"""Jobs: started by a request, done by a worker, in this process or in a Lambda.

1. Whoever starts one writes its row and sends its id: `backend.services.refresh`, `backtest_jobs`, `sweeps.starting`.
2. `run_job` claims the row, works, tells of itself every second, and records the end.
3. A job that is cancelled stops when its work next tells how far it is.
4. A job that fails is tried once more; what fails for good says so in its row and raises, for a dead letter.
5. A worker that dies tells nothing. Whoever next asks for its job hands it out again, or lets it fail: `watched_job`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from aws.s3_cache import ObjectStore
from backend.database.column_types import JsonObject
from backend.database.connection import transaction
from backend.database.errors import DatabaseError
from backend.database.jobs import (
    JobRecord,
    cancel_job,
    claim_job,
    end_job,
    get_job,
    is_lost,
    release_lost_job,
    report_progress,
)
from backend.ingest.sources.accounts import TiingoAccount
from backend.services.clock import utc_now
from backend.services.errors import JobCancelledError, JobFailedError
from backend.services.sweeps.means import SweepMeans

REFRESH, SWEEP, BACKTEST = "refresh", "sweep", "backtest"
MOST_ATTEMPTS = 2
_PULSE_S = 1.0


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
    sweeps: SweepMeans = field(default_factory=SweepMeans)


@dataclass(slots=True, kw_only=True)
class Pulse:
    """How far a job is, and whether it is still wanted."""

    job_id: str
    progress: float = 0.0
    is_cancelled: bool = False

    def report(self, done: int, total: int) -> None:
        """Tell how far the work is; `JobCancelledError` when it is to stop."""
        if self.is_cancelled:
            raise JobCancelledError(self.job_id)
        self.progress = done / total if total else 0.0


async def watched_job(engine: AsyncEngine, queue: JobQueue, job_id: str) -> JobRecord:
    """A job as it is, once one that lost its worker or its message was handed out again, or has failed by that.

    Raises
    ------
    UnknownJobError
        If there is no such job.
    """
    async with transaction(engine) as connection:
        job = await get_job(connection, job_id)
        if not is_lost(job, now=utc_now()):
            return job
        is_sent = await release_lost_job(connection, job_id, most_attempts=MOST_ATTEMPTS, now=utc_now())
    if is_sent:
        await queue.send(job_id)
    async with transaction(engine) as connection:
        return await get_job(connection, job_id)


async def cancelled_job(engine: AsyncEngine, job_id: str) -> JobRecord:
    """Cancel a job and give its row; one that has ended stays as it ended."""
    async with transaction(engine) as connection:
        await cancel_job(connection, job_id, now=utc_now())
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
        async with pulse(worker.engine, job_id) as told:
            result = await _done(worker, job, told)
    except JobCancelledError:
        async with transaction(worker.engine) as connection:
            return await get_job(connection, job_id)
    except BaseException as error:
        is_final = job.attempts >= MOST_ATTEMPTS or not isinstance(error, Exception)
        with suppress(DatabaseError, SQLAlchemyError):  # a database that is gone must not hide what happened
            await ended(worker.engine, job_id, "failed" if is_final else "queued", error=_told(error))
        if isinstance(error, Exception):
            raise JobFailedError(job_id, str(error), is_final=is_final) from error
        raise
    if result is None:  # handed on to others, who will end it
        return job
    return await ended(worker.engine, job_id, "succeeded", result=result)


async def _done(worker: Worker, job: JobRecord, told: Pulse) -> JsonObject | None:
    """Result of a job's work; None when others go on with it."""
    # Here and not above: starting a job needs none of what doing it needs.
    if job.kind == REFRESH:
        from backend.services.refresh import refreshed  # noqa: PLC0415  see above

        return await refreshed(worker, job, told)
    if job.kind == BACKTEST:
        from backend.services.backtest_jobs import backtested  # noqa: PLC0415  see above

        return await backtested(worker, job)
    from backend.services.sweeps.working import swept  # noqa: PLC0415  see above

    return await swept(worker, job, told)


def _told(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return "its worker was stopped"
    return str(error) or repr(error)


@asynccontextmanager
async def pulse(engine: AsyncEngine, job_id: str) -> AsyncIterator[Pulse]:
    """Record once a second how far the body says it is, and let it know when it is cancelled."""
    told = Pulse(job_id=job_id)

    async def beat() -> None:
        while True:
            await asyncio.sleep(_PULSE_S)
            with suppress(DatabaseError, SQLAlchemyError):  # the work itself will meet it, too, and says so
                async with transaction(engine) as connection:
                    is_running = await report_progress(connection, job_id, told.progress, now=utc_now())
                told.is_cancelled = not is_running

    beating = asyncio.create_task(beat())
    try:
        yield told
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def ended(
    engine: AsyncEngine, job_id: str, status: str, *, result: JsonObject | None = None, error: str | None = None
) -> JobRecord:
    """Record how a running job ended; one that was cancelled meanwhile stays cancelled."""
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
