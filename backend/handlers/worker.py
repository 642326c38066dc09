"""Lambda of jobs: takes the id of a row and does what it says, or a batch of a sweep, or the end of one."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from backend.container import Container
from backend.resources import job_worker
from backend.services.jobs import Worker, run_job

_Id = Field(min_length=1, max_length=64)


class JobEvent(BaseModel):
    """What aws.jobs sends."""

    model_config = ConfigDict(extra="forbid")

    job_id: str = _Id


class BatchEvent(BaseModel):
    """What the state machine sends for each batch of a sweep."""

    model_config = ConfigDict(extra="forbid")

    sweep_id: str = _Id
    batch: int = Field(ge=0, lt=1_000_000)


class FinishEvent(BaseModel):
    """What the state machine sends once every batch is done, or one failed for good, with its cause."""

    model_config = ConfigDict(extra="forbid")

    sweep_id: str = _Id
    finish: bool
    error: str | None = None


_EVENTS: TypeAdapter[JobEvent | BatchEvent | FinishEvent] = TypeAdapter(JobEvent | BatchEvent | FinishEvent)
container = Container("worker")


def _work(event: dict[str, Any], _context: object) -> dict[str, Any]:  # Any: JSON in, JSON out
    """Do what the event asks for; raises when it failed, so that it is retried or becomes a dead letter."""
    order = _EVENTS.validate_python(event)
    worker = job_worker(container.settings, container.resources.engine, container.resources.store)
    if isinstance(order, JobEvent):
        job = container.run(run_job(worker, order.job_id))
        return {"job_id": job.id, "status": job.status}
    return container.run(_swept(worker, order))


async def _swept(worker: Worker, order: BatchEvent | FinishEvent) -> dict[str, Any]:  # Any: JSON
    from backend.services.sweeps.working import finish_sweep, run_batch  # noqa: PLC0415  only for sweeps

    if isinstance(order, BatchEvent):
        return {"status": await run_batch(worker, order.sweep_id, order.batch)}
    job = await finish_sweep(worker, order.sweep_id, error=order.error)
    return {"job_id": job.id, "status": job.status}


handler = container.observed(_work)
