"""Responses of /data."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import Field

from backend.schemas.meta import MetaOut
from backend.schemas.model import Model


class RunOut(Model):
    """One ingest run."""

    id: str
    universe_key: str
    source: str
    status: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    tickers: int
    rows_in: int
    inserted: int
    changed: int
    unchanged: int
    quarantined: int
    failed: int
    error: str | None


class RunSummary(RunOut):
    """One ingest run, and how often what went wrong."""

    failures: dict[str, int] = Field(description="Bars by the rule they broke, tickers by the class of their error.")
    fallbacks: dict[str, int] = Field(
        description="Tickers that a later source gave, by the class of the first source's error."
    )


class RunPage(Model):
    """Ingest runs, newest first."""

    data: list[RunOut]
    next_cursor: str | None


class FailureOut(Model):
    """A quarantined bar (date set), a failed ticker, or one that another source gave (payload: fell_back_to)."""

    ticker: str
    date: dt.date | None
    error_class: str
    reason: str
    payload: dict[str, Any]


class UniverseStatus(Model):
    """How much there is of a universe, and how old it is."""

    key: str
    name: str
    tickers: int
    bars: int
    first_session: dt.date | None
    last_session: dt.date | None
    known_at: dt.datetime | None
    age_days: int | None = Field(description="Calendar days since the last session.")
    sessions_behind: int | None = Field(
        description="Sessions of the exchange since the last one that ought to be known: six hours after their close."
    )
    quality: dict[str, int]
    snapshot: str | None
    last_run: RunOut | None


class StatusOut(Model):
    """Every universe."""

    data: list[UniverseStatus]
    generated_at: dt.datetime


class PricePage(Model):
    """Bars sorted by ticker and date. `adjusted_close` is the vendor's figure whatever the adjustment."""

    meta: MetaOut
    adjustment: str = Field(description="none: as traded; split; total: for splits and dividends known by as_of.")
    data: list[dict[str, Any]]
    next_cursor: str | None
