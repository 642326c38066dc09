"""Requests and responses of jobs."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from backend.schemas.model import Model, Strict


class RefreshIn(Strict):
    """A universe to bring up to date."""

    universe: str = Field(min_length=1, max_length=80, examples=["SAMPLE_US20"])
    lookback_days: int = Field(default=7, ge=0, le=3650, description="Calendar days fetched again for restatements.")


class JobOut(Model):
    """A job, to be asked for until it has ended."""

    id: str
    kind: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1, description="Share of the work that is done.")
    result: dict[str, Any] | None = Field(description="What it did, once it has succeeded.")
    error: str | None = Field(description="Why it failed, or had to be tried again.")
    created_at: dt.datetime
    updated_at: dt.datetime
