"""Moments on the clocks of exchanges."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingest.sources.zones import local_dates, local_seconds


def test_a_sydney_morning_is_the_evening_before_in_utc() -> None:
    # 2024-01-02 10:00 in Sydney, in summer eleven hours ahead.
    moment = int(dt.datetime(2024, 1, 1, 23, tzinfo=dt.UTC).timestamp())
    assert local_dates([moment], "Australia/Sydney").tolist() == [dt.date(2024, 1, 2)]
    assert local_dates([moment], "UTC").tolist() == [dt.date(2024, 1, 1)]
    assert local_dates([moment], "+11:00").tolist() == [dt.date(2024, 1, 2)]
    assert local_dates([moment], "-05:00").tolist() == [dt.date(2024, 1, 1)]


@given(
    moments=st.lists(st.integers(-2_000_000_000, 4_000_000_000), max_size=20),
    zone=st.sampled_from(["America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Sydney"]),
)
def test_it_is_what_python_says_of_each_moment(moments: list[int], zone: str) -> None:
    clocks = [dt.datetime.fromtimestamp(moment, ZoneInfo(zone)).replace(tzinfo=dt.UTC) for moment in moments]
    np.testing.assert_array_equal(local_seconds(moments, zone), [int(clock.timestamp()) for clock in clocks])


def test_each_hour_around_a_change_of_the_clocks_is_on_the_right_side_of_it() -> None:
    # In New York of 2024 from EST to EDT on 10 March at 07:00 UTC, and back on 3 November at 06:00 UTC.
    spring, autumn = (int(dt.datetime(2024, *at, tzinfo=dt.UTC).timestamp()) for at in ((3, 10, 7), (11, 3, 6)))
    moments = np.concatenate([np.arange(change - 30 * 3600, change + 30 * 3600, 3600) for change in (spring, autumn)])
    is_summer = (spring <= moments) & (moments < autumn)
    np.testing.assert_array_equal(
        local_seconds(moments, "America/New_York") - moments, np.where(is_summer, -4, -5) * 3600
    )


@pytest.mark.parametrize("moment", [-(10**11), 10**12])
def test_a_moment_that_no_calendar_has_is_refused(moment: int) -> None:
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        local_seconds([0, moment], "Europe/London")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc"])
def test_an_unknown_zone_is_named(zone: str) -> None:
    with pytest.raises(ValueError, match="no time zone is called"):
        local_seconds([0], zone)
