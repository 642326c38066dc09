"""/backtest: run one, read what was run."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import HTMLResponse

from backend.database.backtests import (
    BacktestRecord,
    get_backtest,
    list_backtests,
)
from backend.database.jobs import JobRecord
from backend.database.trials import count_trials
from backend.routers import honesty, preregistrations, sweep_validation, sweeps, validation
from backend.routers.backtest_requests import backtest_request
from backend.routers.cursors import cursor_offset, cursor_row, encoded_cursor
from backend.routers.dependencies import Connection, Engine, Queue, Store
from backend.routers.health import add_health
from backend.routers.idempotency import Key, claim
from backend.schemas.backtest import (
    BacktestIn,
    BacktestOut,
    BacktestPage,
    BacktestRow,
    ConstraintsIn,
    CostPresetOut,
    CostsIn,
    ExecutionIn,
    SettingsOut,
    TablePage,
    TrialsOut,
)
from backend.schemas.jobs import JobOut
from backend.services.backtest_jobs import start_backtest
from backend.services.backtests import StoredBacktest, run_backtest
from backend.services.result_tables import MEDIA_TYPES, TableName, chosen_columns, result_table, rows_of
from backend.services.tearsheets import Part, SheetFormat, tearsheet
from strategy.backtest.cost_presets import PRICE_LISTS, PriceList

router = APIRouter(prefix="/backtest", tags=["backtest"])
add_health(router)

#: A result never changes under its id.
_IMMUTABLE = "public, max-age=31536000, immutable"
#: Cells of a page, about 1 MB of JSON: Lambda answers with 6 MB at most, whatever the columns.
_MOST_CELLS = 50_000
#: Settings change with a release at most.
_HOUR = "public, max-age=3600"
Limit = Annotated[int, Query(ge=1, le=200)]
Prefer = Annotated[str | None, Header(max_length=200, description="respond-async: give a job.")]


@router.post(
    "",
    response_model=BacktestOut,
    status_code=200,
    responses={202: {"model": JobOut, "description": "The job that computes it, as preferred; see its Location."}},
)
async def post_backtest(
    body: BacktestIn, engine: Engine, store: Store, queue: Queue, prefer: Prefer = None, idempotency_key: Key = None
) -> Response:
    """Run a backtest, or give the stored result of the same spec: one spec, one id, the same bytes.

    `Prefer: respond-async` (RFC 7240) gives a job instead, for one that takes longer than a request may.
    """
    await claim(engine, idempotency_key, body)
    if prefer is not None and "respond-async" in {part.strip().lower() for part in prefer.split(",")}:
        return _started(await start_backtest(engine, store, queue, backtest_request(body)))
    stored = await run_backtest(engine, store, backtest_request(body), origin="http")
    return _document(stored.id, stored.document)


@router.get("")
async def get_backtests(connection: Connection, limit: Limit = 50, cursor: str | None = None) -> BacktestPage:
    """Every backtest that was run, newest first."""
    records = await list_backtests(connection, before=cursor_row(cursor), limit=limit + 1)
    page = records[:limit]
    more = len(records) > limit
    return BacktestPage(
        data=[_row(record) for record in page],
        next_cursor=encoded_cursor(page[-1].created_at.isoformat(), page[-1].id) if more else None,
    )


@router.get("/trials")
async def get_trials(connection: Connection) -> TrialsOut:
    """How many distinct designs were ever tried, by HTTP, command line or sweep."""
    counts = await count_trials(connection)
    by_strategy = {strategy: count.n_trials for strategy, count in counts.items()}
    n_specs = sum(count.n_specs for count in counts.values())
    return TrialsOut(total=sum(by_strategy.values()), n_specs=n_specs, by_strategy=by_strategy)


@router.get("/settings")
async def get_settings(response: Response) -> SettingsOut:
    """Cost presets with their figures, and the JSON schemas of costs, execution and constraints."""
    response.headers["Cache-Control"] = _HOUR
    presets = [_preset(key, price_list) for key, price_list in PRICE_LISTS.items()]
    return SettingsOut(
        presets=presets,
        costs=CostsIn.model_json_schema(),
        execution=ExecutionIn.model_json_schema(),
        constraints=ConstraintsIn.model_json_schema(),
    )


# Behind POST /backtest, since routes are tried one by one, and before those whose path begins with an id.
router.include_router(sweeps.router)
router.include_router(sweep_validation.router)
router.include_router(preregistrations.router)
router.include_router(validation.router)
router.include_router(honesty.router)


@router.get("/{backtest_id}", response_model=BacktestOut)
async def get_one(backtest_id: str, connection: Connection) -> Response:
    """The document of one backtest."""
    record = await get_backtest(connection, backtest_id)
    return _document(record.id, record.document)


@router.get("/{backtest_id}/tearsheet.{form}", response_class=Response)
async def get_tearsheet(
    backtest_id: str, form: SheetFormat, engine: Engine, store: Store, part: Part = "series"
) -> Response:
    """The result in one file: a page that needs nothing else (html), or its series or figures (csv, parquet)."""
    body = await tearsheet(engine, store, backtest_id, form=form, part=part)
    headers = {"Cache-Control": _IMMUTABLE}
    if form == "html":
        # Whatever a ticker is named, the page can run and load nothing.
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
        return HTMLResponse(body, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{backtest_id[:12]}-{part}.{form}"'
    return Response(body, media_type=MEDIA_TYPES[form], headers=headers)


@router.get("/{backtest_id}/{table}")
async def get_table(
    backtest_id: str,
    table: TableName,
    connection: Connection,
    store: Store,
    response: Response,
    *,
    limit: Annotated[int, Query(ge=1, le=20_000)] = 20_000,
    cursor: str | None = None,
    columns: Annotated[str | None, Query(max_length=400, description="Only these, separated by commas.")] = None,
) -> TablePage:
    """Rows of a result table as columns, at most 50,000 values a page: the fewer columns, the more rows.

    Stored with the result are equity, orders, and holdings after each change. From equity follow rolling (Sharpe ratio,
    volatility, beta, drawdown over 126 and 252 sessions), monthly and yearly returns, the ten worst drawdowns, and
    series (everything there is of each session).
    """
    offset = cursor_offset(cursor)
    record = await get_backtest(connection, backtest_id)
    found = chosen_columns(await result_table(store, record, table), columns)
    response.headers["Cache-Control"] = _IMMUTABLE
    n_rows = min(limit, _MOST_CELLS // found.num_columns)
    more = offset + n_rows < found.num_rows
    return TablePage(
        id=record.id,
        columns=rows_of(found, offset=offset, limit=n_rows),
        next_cursor=encoded_cursor(str(offset + n_rows)) if more else None,
    )


def _started(found: StoredBacktest | JobRecord) -> Response:
    """The result where it is known, else the job that computes it."""
    if isinstance(found, StoredBacktest):
        return _document(found.id, found.document)
    headers = {"Location": f"/api/v1/data/jobs/{found.id}", "Preference-Applied": "respond-async"}
    return Response(JobOut.model_validate(asdict(found)).model_dump_json(), 202, headers, "application/json")


def _preset(key: str, price_list: PriceList) -> CostPresetOut:
    figures = asdict(price_list.model)
    return CostPresetOut(
        key=key,
        description=price_list.description,
        tiers=figures.pop("tiers"),
        figures=figures,
        currency=price_list.currency,
        as_of=price_list.as_of,
        source=price_list.source,
        leaves_out=price_list.leaves_out,
    )


def _document(backtest_id: str, document: str) -> Response:
    headers = {"ETag": f'"{backtest_id}"', "Cache-Control": _IMMUTABLE}
    return Response(document, media_type="application/json", headers=headers)


def _row(record: BacktestRecord) -> BacktestRow:
    metrics = json.loads(record.document)["metrics"]
    return BacktestRow(
        id=record.id,
        created_at=record.created_at,
        strategy=record.spec["strategy"],
        universe=record.spec["universe"],
        start=record.spec["start"],
        end=record.spec["end"],
        metrics={metric["key"]: metric["value"] for metric in metrics},
    )
