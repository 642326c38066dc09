"""/data/quality: which bars are doubtful, under which rules, and what was refused."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from backend.database.ingest_runs import failures_of, recent_runs
from backend.routers.dependencies import Connection
from backend.routers.moments import AsOf, moment
from backend.schemas.data import FailureOut, RunOut
from backend.schemas.quality import QualityOut
from backend.services.quality_page import quality_page
from backend.services.quality_report import quality_report

router = APIRouter()  # included in the area "data"


@router.get("/quality")
async def get_quality(connection: Connection, universe: str, as_of: AsOf = None) -> QualityOut:
    """Bars of a universe by quality, rule and ticker, and each bar that its newest run quarantined, with the reason."""
    report = await quality_report(connection, universe, as_of=moment(as_of))
    runs = await recent_runs(connection, universe_key=universe, limit=1, before=(report.as_of, ""))
    failures = await failures_of(connection, runs[0].id) if runs else []
    refused = [FailureOut.model_validate(asdict(failure)) for failure in failures if failure.date is not None]
    run = RunOut.model_validate(asdict(runs[0])) if runs else None
    return QualityOut.model_validate(asdict(report) | {"run": run, "quarantined": refused})


@router.get("/quality/report.html", response_class=HTMLResponse)
async def get_quality_page(connection: Connection, universe: str, as_of: AsOf = None) -> HTMLResponse:
    """The same as a page to read, print or send: it needs no script and nothing from elsewhere."""
    report = await quality_report(connection, universe, as_of=moment(as_of))
    # Whatever a ticker is named, the page can run and load nothing.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return HTMLResponse(quality_page(report), headers={"Content-Security-Policy": policy})
