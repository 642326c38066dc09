"""Opaque cursors of paginated lists."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json

from backend.services.errors import RequestError

_FOREIGN = "is not a cursor of this list; leave it out to start anew"


def encoded_cursor(*parts: str) -> str:
    """Cursor of the last row served."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def decoded_cursor(cursor: str, *, n_parts: int) -> list[str]:
    """The parts of a cursor; `RequestError` when it is not one of ours."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError) as error:
        raise RequestError("cursor", cursor, _FOREIGN) from error
    if not isinstance(parts, list) or len(parts) != n_parts or not all(isinstance(part, str) for part in parts):
        raise RequestError("cursor", cursor, _FOREIGN)
    return parts


def cursor_moment(text: str, cursor: str) -> dt.datetime:
    """The moment in one part of a cursor; `RequestError` when it is none."""
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise RequestError("cursor", cursor, _FOREIGN) from error


def cursor_bar(cursor: str | None) -> tuple[str, dt.date] | None:
    """Ticker and date of the last bar served; None without a cursor."""
    if cursor is None:
        return None
    ticker, date = decoded_cursor(cursor, n_parts=2)
    return ticker, cursor_moment(date, cursor).date()


def cursor_row(cursor: str | None) -> tuple[dt.datetime, str] | None:
    """Moment and id of the last row served of a list that has the newest first; None without a cursor."""
    if cursor is None:
        return None
    moment, row_id = decoded_cursor(cursor, n_parts=2)
    return cursor_moment(moment, cursor), row_id


def cursor_offset(cursor: str | None) -> int:
    """How many rows of a table were served; 0 without a cursor."""
    if cursor is None:
        return 0
    (text,) = decoded_cursor(cursor, n_parts=1)
    if not text.isdigit():
        raise RequestError("cursor", cursor, "is not a cursor of this table")
    return int(text)
