"""/data/refresh and /data/jobs: work that takes longer than a request."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Response

from backend.routers.dependencies import Engine, Queue
from backend.routers.idempotency import Key, claim
from backend.schemas.jobs import JobOut, RefreshIn
from backend.services.jobs import cancelled_job, watched_job
from backend.services.refresh import start_refresh

router = APIRouter()  # included in the area "data"


@router.post("/refresh", status_code=202)
async def post_refresh(
    body: RefreshIn, engine: Engine, queue: Queue, response: Response, idempotency_key: Key = None
) -> JobOut:
    """Bring a universe up to date; ask for the job at the answer's Location until it has ended."""
    await claim(engine, idempotency_key, body)
    job = await start_refresh(
        engine, queue, body.universe, lookback_days=body.lookback_days, idempotency_key=idempotency_key
    )
    response.headers["Location"] = f"/api/v1/data/jobs/{job.id}"
    return JobOut.model_validate(asdict(job))


@router.get("/jobs/{job_id}")
async def get_one_job(job_id: str, engine: Engine, queue: Queue) -> JobOut:
    """What became of a job; one whose worker died is handed out again, or has failed."""
    return JobOut.model_validate(asdict(await watched_job(engine, queue, job_id)))


@router.post("/jobs/{job_id}/cancel")
async def post_cancel(job_id: str, engine: Engine) -> JobOut:
    """Stop a job: one that waits at once, one that is worked on at its next batch; one that has ended stays so."""
    return JobOut.model_validate(asdict(await cancelled_job(engine, job_id)))
