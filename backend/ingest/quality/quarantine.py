"""What quality control sets aside, and how its values are kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A row that was set aside: the rules it breaks in the order of RULES, and its values as JSON can hold them."""

    ticker: str
    date: date | None
    rules: tuple[str, ...]
    payload: dict[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Rows that break no rule (BAR_SCHEMA or ACTION_SCHEMA, sorted by date), and those that do."""

    good: pa.Table
    quarantined: tuple[Quarantined, ...]


def as_json(value: object) -> object:
    """The value as JSON and PostgreSQL can hold it: NaN is null, infinity a word, a date ISO text, no NUL in text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
