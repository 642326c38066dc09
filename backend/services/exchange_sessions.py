"""Sessions of an exchange that bars are held against."""

from __future__ import annotations

import asyncio
import datetime as dt
from contextlib import suppress

from backend.ingest.quality.series import DateArray, Series
from strategy.errors import CalendarError
from strategy.sessions import sessions_between

_EPOCH = dt.date(1970, 1, 1)


async def load_calendar(calendar: str) -> None:
    """Read a calendar before it is needed, if there is such a one: it takes half a second, in a thread."""
    with suppress(CalendarError):
        await asyncio.to_thread(sessions_between, calendar, _EPOCH, _EPOCH)


async def sessions_of(calendar: str | None, series: Series) -> DateArray | None:
    """Sessions from the first to the last bar of the series; None where no calendar, or none of that time, is known."""
    # In a thread: the first call imports pandas, for a second or two of a small Lambda.
    return await asyncio.to_thread(known_sessions, calendar, series)


def known_sessions(calendar: str | None, series: Series) -> DateArray | None:
    """The same, for who is in a thread already."""
    if calendar is None or not series.days.size:
        return None
    first, last = (_EPOCH + dt.timedelta(days=int(edge)) for edge in (series.days.min(), series.days.max()))
    try:
        return sessions_between(calendar, first, last)
    except CalendarError:
        # Bars older than any calendar, or a universe of a version that could name any text: gaps are not looked for.
        return None
