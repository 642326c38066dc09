"""/data: universes, bars, quality and ingest runs."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from backend.database.ingest_runs import failures_of, get_run, reasons, recent_runs
from backend.routers import factors, facts, jobs, quality, universes
from backend.routers.cursors import cursor_bar, cursor_row, encoded_cursor
from backend.routers.dependencies import Connection, Store
from backend.routers.health import add_health
from backend.routers.moments import AsOf, moment, names_in
from backend.routers.price_formats import rendered
from backend.schemas.data import (
    FailureOut,
    PricePage,
    RunOut,
    RunPage,
    RunSummary,
    StatusOut,
    UniverseStatus,
)
from backend.schemas.meta import MetaOut
from backend.services.errors import RequestError
from backend.services.market_data import Adjustment, PriceQuery, all_coverage, prices

router = APIRouter(prefix="/data", tags=["data"])
add_health(router)
router.include_router(jobs.router)
router.include_router(facts.router)
router.include_router(factors.router)
router.include_router(quality.router)
router.include_router(universes.router)

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=400)]


@router.get("/status")
async def get_status(connection: Connection, store: Store) -> StatusOut:
    """Coverage and freshness of every universe."""
    now = dt.datetime.now(dt.UTC)
    found = await all_coverage(connection, store, now=now)
    return StatusOut(data=[UniverseStatus.model_validate(asdict(item)) for item in found], generated_at=now)


@router.get("/prices", response_model=PricePage)
async def get_prices(
    connection: Connection,
    tickers: Annotated[str, Query(max_length=4_000, description="One or more, separated by commas.")],
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    as_of: AsOf = None,
    adjust: Annotated[
        Adjustment, Query(description="split: for splits; total: for dividends as well, at most 20 tickers.")
    ] = "none",
    format: Literal["json", "csv", "parquet", "arrow"] = "json",  # noqa: A002  the name of the parameter in the URL
    limit: Annotated[int, Query(ge=1, le=20_000)] = 5_000,
    cursor: Cursor = None,
) -> Response:
    """Bars sorted by ticker and date, as traded or adjusted by the actions known then, in the format asked for."""
    if start is not None and end is not None and start > end:
        raise RequestError("start", start.isoformat(), f"is after end {end.isoformat()}")
    names = names_in(tickers, field="tickers")
    query = PriceQuery(
        tickers=names,
        start=start,
        end=end,
        as_of=moment(as_of),
        after=cursor_bar(cursor),
        limit=limit,
        adjustment=adjust,
    )
    found = await prices(connection, query)
    meta = MetaOut(
        as_of=query.as_of,
        source=found.sources,
        quality=found.quality,
        data_hash=found.data_hash,
        generated_at=dt.datetime.now(dt.UTC),
    )
    rows = found.rows()
    last = rows[-1] if found.has_more else None
    next_cursor = encoded_cursor(last["ticker"], last["date"]) if last else None
    return rendered(PricePage(meta=meta, adjustment=adjust, data=rows, next_cursor=next_cursor), format)


@router.get("/runs")
async def get_runs(
    connection: Connection, universe: str | None = None, limit: Limit = 50, cursor: Cursor = None
) -> RunPage:
    """Ingest runs, newest first."""
    runs = await recent_runs(connection, universe_key=universe, limit=limit + 1, before=cursor_row(cursor))
    page = runs[:limit]
    more = len(runs) > limit
    return RunPage(
        data=[RunOut.model_validate(asdict(run)) for run in page],
        next_cursor=encoded_cursor(page[-1].started_at.isoformat(), page[-1].id) if more else None,
    )


@router.get("/runs/{run_id}")
async def get_one_run(run_id: str, connection: Connection) -> RunSummary:
    """A run, and how often what went wrong."""
    run = await get_run(connection, run_id)
    failures, fallbacks = reasons(await failures_of(connection, run.id))
    return RunSummary.model_validate(asdict(run) | {"failures": failures, "fallbacks": fallbacks})


@router.get("/runs/{run_id}/failures")
async def get_failures(run_id: str, connection: Connection) -> list[FailureOut]:
    """Every quarantined bar and failed ticker of a run, and every ticker that a later source gave."""
    run = await get_run(connection, run_id)
    return [FailureOut.model_validate(asdict(failure)) for failure in await failures_of(connection, run.id)]
