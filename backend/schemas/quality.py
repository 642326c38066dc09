"""Responses of /data/quality."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from backend.schemas.data import FailureOut, RunOut
from backend.schemas.model import Model


class RuleOut(Model):
    """A rule on stored bars, and how many of how many tickers break it."""

    rule: str
    severity: str = Field(description="bad: stored, not served; suspect: served and counted.")
    says: str
    bars: int
    tickers: int


class TickerQualityOut(Model):
    """Bars of a ticker: all, suspect and bad ones, and how many break each rule."""

    ticker: str
    bars: int
    suspect: int
    bad: int
    rules: dict[str, int]


class FlaggedBarOut(Model):
    """A bar that is not good, with its close in quote currency."""

    ticker: str
    date: dt.date
    close: float
    source: str
    quality: str
    rules: list[str]
    known_at: dt.datetime


class QualityOut(Model):
    """Bars by quality, rule and ticker as known at a moment, and what the newest run until then refused."""

    universe: str
    as_of: dt.datetime
    quality: dict[str, int]
    rules: list[RuleOut]
    worst: list[TickerQualityOut]
    flagged: list[FlaggedBarOut] = Field(description="The newest doubtful bars, bad ones first.")
    run: RunOut | None
    quarantined: list[FailureOut]
