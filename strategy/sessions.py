"""Sessions of exchanges: when they are, when they close, and which of them are missing.

Holidays, early closes and changes of rules come from the library exchange_calendars; none is written here. A calendar
is named by its ISO 10383 code (XNYS, XASX …), or `24/5` for currencies (Monday to Friday, closing at midnight UTC) or
`24/7` for crypto (every day, closing at midnight UTC).

The library needs pandas: it is imported by the first call that asks for a calendar, and not with this module.
"""

from __future__ import annotations

import datetime as dt
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from strategy.errors import CalendarError, UnknownCalendarError
from strategy.panel import DateArray

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

#: After a close until its bar can be asked of a vendor: exchanges correct the day's figures for some hours, and Tiingo
#: publishes the corrected ones four hours after New York closes (api.tiingo.com, "End-of-Day Endpoint").
VENDOR_DELAY = dt.timedelta(hours=6)

#: Building a calendar costs the same for one year as for fifty; all questions about recent decades share one.
_EARLIEST_DECADE = 1990
#: No exchange that the library knows was closed for longer.
_LONGEST_PAUSE = dt.timedelta(days=30)


def check_calendar(code: str) -> None:
    """Refuse a code that names no calendar: `UnknownCalendarError` lists those that look like it."""
    known = _known_calendars()
    if code not in known:
        near = get_close_matches(code.upper(), known, n=5, cutoff=0.5)
        raise UnknownCalendarError(code, near)


def sessions_between(calendar: str, first: dt.date, last: dt.date) -> DateArray:
    """Sessions of an exchange from `first` to `last`, both included.

    Returns
    -------
    ndarray of shape (n_dates,), datetime64[D]
        Strictly increasing; empty when `last` is before `first`.

    Raises
    ------
    UnknownCalendarError
        If there is no such calendar.
    CalendarError
        If the library does not know its sessions that early or that late, or fails at this exchange.
    """
    sessions, _ = _axis(calendar, first, last)
    return sessions


def next_session(calendar: str, date: dt.date) -> dt.date:
    """The first session after a date; raises as `sessions_between` does."""
    found: dt.date = sessions_between(calendar, date + dt.timedelta(days=1), date + _LONGEST_PAUSE)[0].item()
    return found


def session_closes(calendar: str, first: dt.date, last: dt.date) -> DateArray:
    """Moments of the closes of `sessions_between`, early ones as they were: datetime64[s], UTC."""
    _, closes = _axis(calendar, first, last)
    return closes


def session_close(calendar: str, session: dt.date) -> dt.datetime:
    """Moment at which a session closes, UTC; `CalendarError` when the day is no session."""
    closes = session_closes(calendar, session, session)
    if closes.size == 0:
        raise CalendarError(calendar, f"{session} is no session")
    moment: dt.datetime = closes[0].item()
    return moment.replace(tzinfo=dt.UTC)


def early_closes(calendar: str, first: dt.date, last: dt.date) -> DateArray:
    """Sessions from `first` to `last` that close before their usual time, datetime64[D]."""
    found = _calendar_of(calendar, first, last).early_closes
    days: DateArray = found.to_numpy().astype("datetime64[D]")
    return days[_inside(days, first, last)]


def newest_due_session(calendar: str, moment: dt.datetime, *, delay: dt.timedelta = VENDOR_DELAY) -> dt.date:
    """The newest session whose bar ought to be known at `moment`: it closed at least `delay` before.

    Raises as `sessions_between` does, and when an exchange was closed for a month.
    """
    until = (moment - delay).astimezone(dt.UTC)
    # Currencies and crypto close on the day after their date.
    first, last = until.date() - _LONGEST_PAUSE, until.date()
    sessions, closes = _axis(calendar, first, last)
    due = sessions[closes <= np.datetime64(until.replace(tzinfo=None), "s")]
    if due.size == 0:
        raise CalendarError(calendar, f"no session from {first} to {last}")
    newest: dt.date = due[-1].item()
    return newest


def sessions_behind(calendar: str, last: dt.date, moment: dt.datetime, *, delay: dt.timedelta = VENDOR_DELAY) -> int:
    """How many sessions after `last` ought to be known at `moment`: weekends and holidays make no data old."""
    due = newest_due_session(calendar, moment, delay=delay)
    return sessions_between(calendar, last + dt.timedelta(days=1), due).size


def missing_sessions(sessions: DateArray, days: DateArray) -> DateArray:
    """Sessions between the first and the last of `days` on which there is no bar.

    Parameters
    ----------
    sessions : ndarray of datetime64[D]
        Those of the exchange, strictly increasing, over at least the span of `days`.
    days : ndarray of datetime64[D]
        Days of the bars of one ticker, in any order; those that are no session count for nothing.
    """
    if days.size == 0:
        return days.astype("datetime64[D]")
    expected = sessions[(sessions >= days.min()) & (sessions <= days.max())]
    return np.setdiff1d(expected, days)


def _axis(code: str, first: dt.date, last: dt.date) -> tuple[DateArray, DateArray]:
    if last < first:
        return np.empty(0, dtype="datetime64[D]"), np.empty(0, dtype="datetime64[s]")
    calendar = _calendar_of(code, first, last)
    sessions = calendar.sessions.to_numpy().astype("datetime64[D]")
    closes = calendar.closes.dt.tz_convert(None).to_numpy().astype("datetime64[s]")
    inside = _inside(sessions, first, last)
    return sessions[inside], closes[inside]


def _inside(days: DateArray, first: dt.date, last: dt.date) -> slice:
    begin = int(np.searchsorted(days, np.datetime64(first, "D"), side="left"))
    return slice(begin, int(np.searchsorted(days, np.datetime64(last, "D"), side="right")))


def _calendar_of(code: str, first: dt.date, last: dt.date) -> ExchangeCalendar:
    check_calendar(code)
    calendar, begin, end = _built(code, min(first.year // 10 * 10, _EARLIEST_DECADE), last.year // 10 * 10 + 9)
    if first < begin or last > end:
        raise CalendarError(code, f"its sessions are known from {begin} to {end}, not from {first} to {last}")
    return calendar


@lru_cache(maxsize=32)
def _built(code: str, first_year: int, last_year: int) -> tuple[ExchangeCalendar, dt.date, dt.date]:
    """The calendar of some decades, or of the part of them that the library knows, and the ends of that part."""
    from exchange_calendars import get_calendar  # noqa: PLC0415  pandas: see above

    begin, end = dt.date(first_year, 1, 1), dt.date(last_year, 12, 31)
    try:
        return get_calendar(code, start=begin.isoformat(), end=end.isoformat()), begin, end
    except (ValueError, NotImplementedError) as error:
        return _built_within_bounds(code, begin, end, error)


def _built_within_bounds(
    code: str, begin: dt.date, end: dt.date, cause: Exception
) -> tuple[ExchangeCalendar, dt.date, dt.date]:
    from exchange_calendars import get_calendar  # noqa: PLC0415  pandas: see above

    try:
        known = get_calendar(code)  # of the length that the library itself chooses; it tells the bounds
        lowest, highest = known.bound_min(), known.bound_max()
        begin = begin if lowest is None else max(begin, lowest.date())
        end = end if highest is None else min(end, highest.date())
        return get_calendar(code, start=begin.isoformat(), end=end.isoformat()), begin, end
    except (ValueError, NotImplementedError):
        raise CalendarError(code, f"the library exchange_calendars cannot build it ({cause!s:.200})") from cause


@lru_cache(maxsize=1)
def _known_calendars() -> tuple[str, ...]:
    from exchange_calendars import get_calendar_names  # noqa: PLC0415  pandas: see above

    return tuple(get_calendar_names(include_aliases=True, sort=True))
