"""The one clock of the use cases; tests pass another."""

from __future__ import annotations

import datetime as dt


def utc_now() -> dt.datetime:
    """The present moment, UTC."""
    return dt.datetime.now(dt.UTC)
