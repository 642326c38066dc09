"""Decision rows, checked against a wall calendar."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.calendar import decision_rows, periods_per_year
from strategy.schedule import FREQUENCIES, Rebalance
from strategy.sessions import sessions_between
from support.panels import business_days

#: Monday to Friday from Thursday 2 January to Tuesday 31 March 2020 (the Wednesday after that left out).
FIRST_QUARTER = np.arange("2020-01-02", "2020-04-01", dtype="datetime64[D]")
FIRST_QUARTER = FIRST_QUARTER[np.is_busday(FIRST_QUARTER)]


def decided_on(sessions: np.ndarray[tuple[int], np.dtype[np.datetime64]], frequency: Rebalance) -> list[str]:
    return [str(session) for session in sessions[decision_rows(sessions, frequency)]]


def test_months_are_decided_on_their_last_session_and_the_open_one_not_at_all() -> None:
    """31 January and 28 February 2020 were Fridays (the 29th a Saturday); March is not over for who stands in it."""
    assert decided_on(FIRST_QUARTER, "monthly") == ["2020-01-02", "2020-01-31", "2020-02-28"]


def test_the_next_session_closes_the_month() -> None:
    sessions = np.append(FIRST_QUARTER, np.datetime64("2020-04-01"))
    assert decided_on(sessions, "monthly") == ["2020-01-02", "2020-01-31", "2020-02-28", "2020-03-31"]


def test_weeks_end_on_friday_or_on_the_last_session_before_a_holiday() -> None:
    """Good Friday, 10 April 2020, is no session: that week ends on Thursday."""
    sessions = np.array(
        ["2020-04-01", "2020-04-02", "2020-04-03", "2020-04-06", "2020-04-08", "2020-04-09", "2020-04-14"],
        dtype="datetime64[D]",
    )
    assert decided_on(sessions, "weekly") == ["2020-04-01", "2020-04-03", "2020-04-09"]


def test_a_sunday_belongs_to_the_week_before_and_a_monday_to_the_next() -> None:
    """Exchanges of the Gulf trade on Sundays: 5 and 6 January 2020 are a Sunday and a Monday."""
    sessions = np.array(["2020-01-02", "2020-01-05", "2020-01-06", "2020-01-07"], dtype="datetime64[D]")
    assert decided_on(sessions, "weekly") == ["2020-01-02", "2020-01-05"]


def test_weeks_are_right_before_1970() -> None:
    """26 December 1969 was a Friday, 29 December a Monday, 2 January 1970 a Friday."""
    sessions = np.array(["1969-12-24", "1969-12-26", "1969-12-29", "1970-01-02", "1970-01-05"], dtype="datetime64[D]")
    assert decided_on(sessions, "weekly") == ["1969-12-24", "1969-12-26", "1970-01-02"]


def test_quarters_and_years_end_where_the_calendar_says() -> None:
    sessions = np.array(
        [
            "2019-11-29",
            "2019-12-31",
            "2020-01-02",
            "2020-03-31",
            "2020-04-01",
            "2020-06-30",
            "2020-12-31",
            "2021-01-04",
        ],
        dtype="datetime64[D]",
    )
    assert decided_on(sessions, "quarterly") == ["2019-11-29", "2019-12-31", "2020-03-31", "2020-06-30", "2020-12-31"]
    assert decided_on(sessions, "yearly") == ["2019-11-29", "2019-12-31", "2020-12-31"]


def test_a_gap_of_a_whole_year_still_ends_the_month_before_it() -> None:
    sessions = np.array(["2019-05-01", "2019-05-30", "2020-05-04", "2020-05-05"], dtype="datetime64[D]")
    assert decided_on(sessions, "monthly") == ["2019-05-01", "2019-05-30"]


def test_daily_is_every_session_but_the_last() -> None:
    assert list(decision_rows(business_days(5), "daily")) == [0, 1, 2, 3]


def test_once_is_the_first_session() -> None:
    assert list(decision_rows(business_days(5), "once")) == [0]


def test_a_first_session_that_ends_its_month_is_decided_on_once() -> None:
    sessions = np.array(["2020-01-31", "2020-02-03", "2020-02-04"], dtype="datetime64[D]")
    assert decided_on(sessions, "monthly") == ["2020-01-31"]


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("n_dates", [0, 1])
def test_without_a_session_to_fill_on_nothing_is_decided(frequency: Rebalance, n_dates: int) -> None:
    rows = decision_rows(business_days(n_dates), frequency)
    assert rows.size == 0
    assert rows.dtype == np.intp


@pytest.mark.parametrize("frequency", FREQUENCIES)
@given(offsets=st.sets(st.integers(0, 900), min_size=2, max_size=80))
@settings(deadline=None, max_examples=40)
def test_the_first_session_is_always_decided_on_and_the_last_never(frequency: Rebalance, offsets: set[int]) -> None:
    sessions = np.datetime64("2019-01-01") + np.array(sorted(offsets))
    rows = decision_rows(sessions, frequency)
    assert rows[0] == 0
    assert rows[-1] < sessions.size - 1
    assert (np.diff(rows) > 0).all()


@pytest.mark.parametrize("frequency", FREQUENCIES)
@given(offsets=st.sets(st.integers(0, 900), min_size=3, max_size=60), data=st.data())
@settings(deadline=None, max_examples=40)
def test_later_sessions_do_not_move_earlier_decisions(
    frequency: Rebalance, offsets: set[int], data: st.DataObject
) -> None:
    sessions = np.datetime64("2019-01-01") + np.array(sorted(offsets))
    cut = data.draw(st.integers(2, sessions.size))
    full = decision_rows(sessions, frequency)
    assert list(decision_rows(sessions[:cut], frequency)) == list(full[full < cut - 1])


@pytest.mark.parametrize(
    ("calendar", "expected"),
    [("XNYS", 252), ("XASX", 253), ("24/5", 261), ("24/7", 365)],
)
def test_a_year_has_the_sessions_of_its_calendar(calendar: str, expected: int) -> None:
    """The NYSE counts 252 on average; the ASX 253; Monday to Friday 365.25 x 5 / 7 = 260.9."""
    sessions = sessions_between(calendar, dt.date(2006, 1, 3), dt.date(2025, 12, 31))
    assert periods_per_year(sessions) == expected


def test_less_than_a_year_of_sessions_is_not_counted() -> None:
    assert periods_per_year(FIRST_QUARTER) == 252
    assert periods_per_year(np.arange("2020-01-02", "2020-04-01", dtype="datetime64[D]")) == 365
    assert periods_per_year(FIRST_QUARTER[:1]) == 252
