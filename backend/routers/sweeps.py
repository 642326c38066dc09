"""/backtest/sweeps: search the parameters of a backtest. /backtest/jobs: what takes longer than a request."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from backend.database.sweeps import done_batches, get_sweep, list_sweeps
from backend.routers.cursors import cursor_offset, cursor_row, encoded_cursor
from backend.routers.dependencies import Connection, Engine, Queue, Store, SweepPrice
from backend.routers.idempotency import Key, claim
from backend.routers.sweep_requests import sweep_answer, sweep_request
from backend.schemas.jobs import JobOut
from backend.schemas.sweeps import ResumeIn, SweepIn, SweepOut, SweepPage, SweepRow, SweepTrialsPage
from backend.services.jobs import cancelled_job, watched_job
from backend.services.sweeps.budgets import Budget
from backend.services.sweeps.starting import resume_sweep, start_sweep, watched_sweep

router = APIRouter()  # included in the area "backtest", before the routes with an id

_PARQUET = "application/vnd.apache.parquet"
Limit = Annotated[int, Query(ge=1, le=200)]


@router.post("/sweeps", status_code=202)
async def post_sweep(
    body: SweepIn,
    engine: Engine,
    store: Store,
    queue: Queue,
    price: SweepPrice,
    response: Response,
    idempotency_key: Key = None,
) -> SweepOut:
    """Start a sweep, or give the one of the same spec; ask at the answer's Location until its job has ended."""
    await claim(engine, idempotency_key, body)
    found = await start_sweep(engine, store, queue, sweep_request(body), price=price)
    response.headers["Location"] = f"/api/v1/backtest/sweeps/{found.sweep.id}"
    return sweep_answer(found)


@router.get("/sweeps")
async def get_sweeps(connection: Connection, limit: Limit = 50, cursor: str | None = None) -> SweepPage:
    """Every sweep, newest first."""
    records = await list_sweeps(connection, before=cursor_row(cursor), limit=limit + 1)
    page = records[:limit]
    rows = [SweepRow.model_validate(asdict(record)) for record in page]
    more = len(records) > limit
    return SweepPage(
        data=rows, next_cursor=encoded_cursor(page[-1].created_at.isoformat(), page[-1].id) if more else None
    )


@router.get("/sweeps/{sweep_id}")
async def get_one_sweep(sweep_id: str, engine: Engine, queue: Queue) -> SweepOut:
    """A sweep: its job, and what was found once that has ended."""
    return sweep_answer(await watched_sweep(engine, queue, sweep_id))


@router.post("/sweeps/{sweep_id}/resume", status_code=202)
async def post_resume(
    sweep_id: str, engine: Engine, queue: Queue, price: SweepPrice, response: Response, body: ResumeIn
) -> SweepOut:
    """Let a sweep that was cancelled, failed or used its budget up go on; one that runs or is complete stays as it is.

    Asked again it does no more.
    """
    budget = None if body.budget is None else Budget(**body.budget.model_dump())
    found = await resume_sweep(engine, queue, sweep_id, budget=budget, price=price)
    response.headers["Location"] = f"/api/v1/backtest/sweeps/{found.sweep.id}"
    return sweep_answer(found)


@router.get("/sweeps/{sweep_id}/trials", response_model=SweepTrialsPage)
async def get_sweep_trials(
    sweep_id: str,
    connection: Connection,
    store: Store,
    *,
    form: Annotated[Literal["json", "parquet"], Query(alias="format")] = "json",
    limit: Annotated[int, Query(ge=1, le=5_000)] = 1_000,
    cursor: str | None = None,
) -> Response:
    """Trials that are done, in order: parameters, backtest id, every figure; all of them as one Parquet file."""
    from backend.services.sweeps.documents import page_of, parquet_of  # noqa: PLC0415  cold start
    from backend.services.sweeps.findings import trials_table  # noqa: PLC0415  cold start

    offset = cursor_offset(cursor)
    sweep = await get_sweep(connection, sweep_id)
    table = await trials_table(store, await done_batches(connection, sweep.id))
    if form == "parquet":
        headers = {"Content-Disposition": f'attachment; filename="sweep-{sweep.id[:12]}.parquet"'}
        return Response(parquet_of(table), media_type=_PARQUET, headers=headers)
    more = offset + limit < table.num_rows
    page = SweepTrialsPage(
        id=sweep.id,
        n_done=table.num_rows,
        columns=page_of(table, offset, limit),
        next_cursor=encoded_cursor(str(offset + limit)) if more else None,
    )
    return Response(page.model_dump_json(), media_type="application/json")


@router.get("/jobs/{job_id}")
async def get_backtest_job(job_id: str, engine: Engine, queue: Queue) -> JobOut:
    """What became of a job; one whose worker died is handed out again, or has failed."""
    return JobOut.model_validate(asdict(await watched_job(engine, queue, job_id)))


@router.post("/jobs/{job_id}/cancel")
async def post_cancel_backtest_job(job_id: str, engine: Engine) -> JobOut:
    """Stop a job: one that waits at once, one that is worked on at its next batch; what is done stays."""
    return JobOut.model_validate(asdict(await cancelled_job(engine, job_id)))
