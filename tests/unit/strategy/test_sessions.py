"""Sessions of exchanges, against what the exchanges themselves announced, and against the days of real bars."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.errors import CalendarError, UnknownCalendarError
from strategy.panel import DateArray
from strategy.sessions import (
    check_calendar,
    early_closes,
    missing_sessions,
    newest_due_session,
    session_close,
    session_closes,
    sessions_behind,
    sessions_between,
)

DATES = st.dates(dt.date(1995, 1, 1), dt.date(2026, 12, 31))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def days(first: str, last: str, calendar: str = "XNYS") -> list[str]:
    return [str(session) for session in sessions_between(calendar, day(first), day(last))]


def test_new_york_stood_still_for_hurricane_sandy() -> None:
    """Closed on 29 and 30 October 2012: SEC press release 2012-216."""
    assert days("2012-10-26", "2012-10-31") == ["2012-10-26", "2012-10-31"]


def test_new_york_was_closed_for_four_days_in_september_2001() -> None:
    """No session from Tuesday the 11th to Friday the 14th."""
    assert days("2001-09-10", "2001-09-17") == ["2001-09-10", "2001-09-17"]


def test_the_day_after_thanksgiving_closes_at_one_in_the_afternoon() -> None:
    """NYSE "Holidays & Trading Hours" 2023: 1:00 p.m. Eastern on 24 November, and on 3 July."""
    assert session_close("XNYS", day("2023-11-24")) == utc("2023-11-24T18:00:00")
    assert session_close("XNYS", day("2023-11-22")) == utc("2023-11-22T21:00:00")
    assert [str(it) for it in early_closes("XNYS", day("2023-01-01"), day("2023-12-31"))] == [
        "2023-07-03",
        "2023-11-24",
    ]


def test_sydney_keeps_its_own_holidays() -> None:
    """ASX "Trading calendar" 2024: Australia Day, Good Friday to Easter Monday, Anzac Day, King's Birthday."""
    closed = np.setdiff1d(
        np.arange("2024-01-02", "2024-07-01", dtype="datetime64[D]"),
        sessions_between("XASX", day("2024-01-02"), day("2024-06-30")),
    )
    holidays = closed[np.is_busday(closed)]
    assert [str(it) for it in holidays] == ["2024-01-26", "2024-03-29", "2024-04-01", "2024-04-25", "2024-06-10"]


def test_sydney_closes_on_the_same_day_in_utc_and_an_hour_earlier_in_its_summer() -> None:
    """16:00 in Sydney, which is UTC+11 in January and UTC+10 in July."""
    assert session_close("XASX", day("2024-01-10")) == utc("2024-01-10T05:00:00")
    assert session_close("XASX", day("2024-07-10")) == utc("2024-07-10T06:00:00")


def test_currencies_rest_at_weekends_and_crypto_never() -> None:
    assert days("2024-01-05", "2024-01-08", "24/5") == ["2024-01-05", "2024-01-08"]
    assert len(days("2024-01-05", "2024-01-08", "24/7")) == 4
    assert session_close("24/5", day("2024-01-05")) == utc("2024-01-06T00:00:00")


def test_a_span_that_ends_before_it_begins_has_no_session() -> None:
    assert days("2024-01-08", "2024-01-05") == []


def test_a_holiday_has_no_close() -> None:
    with pytest.raises(CalendarError, match="2024-12-25 is no session"):
        session_close("XNYS", day("2024-12-25"))


def test_an_exchange_that_opened_late_says_since_when_it_is_known() -> None:
    """The library knows Tokyo from 1997 on."""
    with pytest.raises(CalendarError, match="known from 1997-01-01"):
        sessions_between("XTKS", day("1990-01-01"), day("2000-01-01"))
    assert days("1997-01-06", "1997-01-07", "XTKS") == ["1997-01-06", "1997-01-07"]


def test_an_unknown_calendar_is_refused_with_those_that_look_like_it() -> None:
    with pytest.raises(UnknownCalendarError, match=r"XNYX.*like it are .*XNYS.*24/5 or 24/7"):
        check_calendar("XNYX")


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        # A Friday closes at 21:00 UTC and is due six hours later, early on Saturday.
        ("2024-01-06T02:59:59", "2024-01-04"),
        ("2024-01-06T03:00:00", "2024-01-05"),
        # All weekend, and on Monday until its own close and the delay are over.
        ("2024-01-08T20:00:00", "2024-01-05"),
        ("2024-01-09T03:00:00", "2024-01-08"),
        # 15 January is Martin Luther King's day.
        ("2024-01-16T20:00:00", "2024-01-12"),
        # Early close: 18:00 UTC.
        ("2023-11-25T00:00:00", "2023-11-24"),
    ],
)
def test_a_session_is_due_six_hours_after_its_close(moment: str, due: str) -> None:
    assert newest_due_session("XNYS", utc(moment)) == day(due)


@pytest.mark.parametrize(
    ("last", "moment", "behind"),
    [
        ("2024-01-12", "2024-01-16T20:00:00", 0),  # a long weekend makes nothing old
        ("2024-01-12", "2024-01-17T20:00:00", 1),
        ("2024-01-12", "2024-01-19T20:00:00", 3),
        ("2024-01-16", "2024-01-16T22:00:00", 0),  # known before it is due
    ],
)
def test_data_age_by_sessions_that_are_missing(last: str, moment: str, behind: int) -> None:
    assert sessions_behind("XNYS", day(last), utc(moment)) == behind


@given(last=DATES, moment=st.datetimes(dt.datetime(1995, 1, 1), dt.datetime(2026, 12, 1)), hours=st.integers(0, 48))  # noqa: DTZ001  hypothesis wants them naive
@settings(max_examples=60, deadline=None)
def test_sessions_behind_are_those_that_closed_since(last: dt.date, moment: dt.datetime, hours: int) -> None:
    now, delay = moment.replace(tzinfo=dt.UTC), dt.timedelta(hours=hours)
    first, end = dt.date(1994, 12, 1), dt.date(2026, 12, 31)
    sessions, closes = sessions_between("XASX", first, end), session_closes("XASX", first, end)
    due = closes + np.timedelta64(hours, "h") <= np.datetime64(moment)
    expected = int((due & (sessions > np.datetime64(last))).sum())
    assert sessions_behind("XASX", last, now, delay=delay) == expected


@given(first=DATES, middle=DATES, last=DATES)
@settings(max_examples=60, deadline=None)
def test_sessions_of_two_adjacent_spans_are_those_of_both(first: dt.date, middle: dt.date, last: dt.date) -> None:
    first, middle, last = sorted((first, middle, last))
    after = middle + dt.timedelta(days=1)
    parts = [sessions_between("XNYS", first, middle), sessions_between("XNYS", after, last)]
    np.testing.assert_array_equal(np.concatenate(parts), sessions_between("XNYS", first, last))


def test_sessions_without_a_bar_are_missing_between_the_first_and_the_last_bar() -> None:
    sessions = sessions_between("XNYS", day("2024-01-02"), day("2024-01-31"))
    # A Saturday counts for nothing.
    bars = np.array(["2024-01-08", "2024-01-04", "2024-01-06", "2024-01-10"], dtype="datetime64[D]")
    assert [str(it) for it in missing_sessions(sessions, bars)] == ["2024-01-05", "2024-01-09"]
    assert missing_sessions(sessions, bars[:0]).size == 0


def test_naming_the_module_does_not_import_what_calendars_need() -> None:
    """Lambda cold start: pandas alone would cost most of a second."""
    code = "import sys, strategy.sessions; print([it for it in ('pandas', 'exchange_calendars') if it in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  our own
    assert done.stdout.strip() == "[]"


def bar_days(shared_data: Path, name: str, symbol: str) -> DateArray:
    import pandas as pd  # noqa: PLC0415  only where the real data are

    frame = pd.read_parquet(shared_data / "prices" / f"{name}.parquet", columns=["symbol", "date"])
    return np.unique(np.array(frame["date"][frame["symbol"] == symbol].astype(str), dtype="datetime64[D]"))


def differences(calendar: str, bars: DateArray) -> tuple[DateArray, DateArray]:
    """Sessions without a bar, and bars on days that are no session."""
    sessions = sessions_between(calendar, bars[0].item(), bars[-1].item())
    return missing_sessions(sessions, bars), np.setdiff1d(bars, sessions)


@pytest.mark.shared_data
def test_twenty_years_of_spy_are_exactly_the_sessions_of_new_york(shared_data: Path) -> None:
    bars = bar_days(shared_data, "etf_2006_2026", "SPY")
    missing, extra = differences("XNYS", bars)
    assert (bars.size, missing.size, extra.size) == (5047, 0, 0)


@pytest.mark.shared_data
def test_crypto_has_a_bar_every_day(shared_data: Path) -> None:
    missing, extra = differences("24/7", bar_days(shared_data, "fx_crypto_2006_2026", "BTCUSD"))
    assert (missing.size, extra.size) == (0, 0)


@pytest.mark.shared_data
def test_what_the_source_adds_to_the_audusd_week_are_sundays(shared_data: Path) -> None:
    missing, extra = differences("24/5", bar_days(shared_data, "fx_crypto_2006_2026", "AUDUSD"))
    assert [str(it) for it in missing] == ["2019-01-01", "2023-06-15"]
    assert extra.size == 72
    assert {(it.astype(np.int64) + 3) % 7 for it in extra} == {6}  # 1970-01-01 was a Thursday


@pytest.mark.shared_data
def test_bhp_lacks_no_session_of_sydney_and_has_bars_on_its_holidays(shared_data: Path) -> None:
    """Yahoo repeats the close on holidays: 119 bars, each with volume 0, on weekdays that Sydney was closed."""
    import pandas as pd  # noqa: PLC0415  only where the real data are

    bars = bar_days(shared_data, "asx_yahoo_1988_2016", "BHP.AX")
    missing, extra = differences("XASX", bars[bars >= np.datetime64("1999-06-01")])  # monthly before
    assert (missing.size, extra.size) == (0, 119)
    frame = pd.read_parquet(shared_data / "prices" / "asx_yahoo_1988_2016.parquet")
    on_holidays = frame[(frame["symbol"] == "BHP.AX") & frame["date"].astype(str).isin([str(it) for it in extra])]
    assert set(on_holidays["volume"]) == {0}
