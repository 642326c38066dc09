"""Requests and responses of /data/universes."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from backend.schemas.model import Model, Strict

Ticker = Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True, pattern=r"^\S+$")]
#: More than any index has, and a body of half a megabyte.
_MOST_MEMBERS = 5_000


class MemberOut(Model):
    """One stay of a ticker in a universe; end None: still in it."""

    ticker: str
    start_date: dt.date
    end_date: dt.date | None


class UniverseOut(Model):
    """A universe with the members it had on a date."""

    key: str
    name: str
    kind: str
    currency: str
    calendar: str = Field(description="Exchange whose sessions its members have: ISO 10383, 24/5 or 24/7.")
    benchmark: str | None
    source: str
    list_date: dt.date | None = Field(description="Of the list of members; None: members join from their first bar on.")
    on: dt.date | None = Field(description="Members on this date; None: every stay there ever was.")
    as_of: dt.datetime
    members: list[MemberOut]


class MemberIn(Strict):
    """One stay; without a start since ever, without an end still in it. Both days belong to it."""

    ticker: Ticker
    start_date: dt.date | None = None
    end_date: dt.date | None = None


class UniverseIn(Strict):
    """A universe of one's own."""

    key: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$", examples=["MY_ETFS"])
    name: str | None = Field(default=None, min_length=1, max_length=200, description="Absent: the key.")
    kind: Literal["equity", "etf", "index", "fx", "crypto", "fund"] = "equity"
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="Of its members' quotes: ISO 4217.")
    calendar: str = Field(default="XNYS", max_length=20, description="Exchange: ISO 10383, 24/5 or 24/7.")
    benchmark: Ticker | None = None
    source: Literal["yahoo", "tiingo", "tiingo,yahoo", "yahoo,tiingo"] = "yahoo"
    members: list[MemberIn] = Field(default=[], max_length=_MOST_MEMBERS)


class MemberChangeIn(Strict):
    """From this day on a ticker is in the universe, or no longer is."""

    ticker: Ticker
    date: dt.date


class MemberChangesIn(Strict):
    """Tickers that join and leave a universe."""

    joins: list[MemberChangeIn] = Field(default=[], max_length=_MOST_MEMBERS)
    leaves: list[MemberChangeIn] = Field(default=[], max_length=_MOST_MEMBERS)


class MembersReportOut(Model):
    """What changed: versions of stays that were appended, and stays that were taken back."""

    universe: str
    stays: int
    appended: int
    withdrawn: int
    list_date: dt.date | None


class TickerGapsOut(Model):
    """Sessions between the first and the last bar of a ticker that have none; the first 50 are named."""

    ticker: str
    first: dt.date
    last: dt.date
    n_missing: int
    sessions: list[dt.date]


class GapsOut(Model):
    """Sessions without a bar, by ticker, most first; and how many bars are on days that are no session."""

    universe: str
    calendar: str
    n_missing: int
    n_tickers: int
    n_off_session: int
    tickers: list[TickerGapsOut]
