"""Lambda of jobs: takes the id of a row, and does what it says."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from backend.container import Container
from backend.resources import job_worker
from backend.services.jobs import run_job


class JobEvent(BaseModel):
    """What aws.jobs sends."""

    model_config = ConfigDict(extra="forbid")

    job_id: str = Field(min_length=1, max_length=64)


container = Container("worker")


def _work(event: dict[str, Any], _context: object) -> dict[str, Any]:  # Any: JSON in, JSON out
    """Do the job; raises when it failed, so that it is retried or becomes a dead letter."""
    order = JobEvent.model_validate(event)
    worker = job_worker(container.settings, container.resources.engine, container.resources.store)
    job = container.run(run_job(worker, order.job_id))
    return {"job_id": job.id, "status": job.status}


handler = container.observed(_work)
