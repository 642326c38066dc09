"""The moment of knowledge that a request asks for, and lists of names in a query."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import Query

from backend.services.errors import RequestError

AsOf = Annotated[dt.datetime | None, Query(description="As known at this moment (with its zone); absent: now.")]


def moment(value: dt.datetime | None, *, field: str = "as_of") -> dt.datetime:
    """The moment in UTC, now when absent; `RequestError` when it has no time zone."""
    if value is None:
        return dt.datetime.now(dt.UTC)
    if value.tzinfo is None:
        raise RequestError(field, value.isoformat(), "has no time zone; write for example 2024-01-31T22:00:00Z")
    return value.astimezone(dt.UTC)


def names_in(text: str, *, field: str) -> list[str]:
    """The names between the commas, sorted, each once; `RequestError` when there is none."""
    names = sorted({name for name in (part.strip() for part in text.split(",")) if name})
    if not names:
        raise RequestError(field, text, f"names no {field.removesuffix('s')}")
    return names
