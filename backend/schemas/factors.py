"""Request and response of /data/factors."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from backend.schemas.meta import MetaOut
from backend.schemas.model import Model, Strict


class FactorsIn(Strict):
    """Which values of which dataset, as known at which moment."""

    dataset: str = Field(min_length=1, max_length=80, description="As it was imported, for example ff5.")
    names: str | None = Field(default=None, max_length=4_000, description="Separated by commas; absent: all.")
    start: dt.date | None = None
    end: dt.date | None = None
    as_of: dt.datetime | None = Field(default=None, description="As known at this moment (with its zone); absent: now.")
    format: Literal["json", "csv"] = "json"
    limit: int = Field(default=10_000, ge=1, le=50_000)
    cursor: str | None = Field(default=None, max_length=400)


class FactorNameOut(Model):
    """How much is known of one series."""

    name: str
    first: dt.date
    last: dt.date
    n_values: int
    known_at: dt.datetime = Field(description="When the newest version among its values became known.")


class FactorOut(Model):
    """One value."""

    date: dt.date
    name: str
    value: float = Field(description="A factor's return as a fraction: 0.01 is 1 %; others as their source has them.")


class FactorsOut(Model):
    """Values of a dataset, sorted by date and name."""

    meta: MetaOut
    dataset: str
    names: list[FactorNameOut] = Field(description="Every series of the dataset, also those not asked for.")
    data: list[FactorOut]
    next_cursor: str | None
