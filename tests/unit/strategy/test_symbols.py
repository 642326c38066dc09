"""Who bore a symbol when; expectations from the listings of the companies named."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.symbols import SymbolStay, free_id, holder, last_bearer, last_symbol, symbol_stays

DAY = dt.timedelta(days=1)
# USA Waste (UW) became Waste Management (WMI) on 1998-07-17 and took WM, free since Washington Mutual fell in 2008.
WASTE = symbol_stays(
    "WM",
    "UW",
    start_date=dt.date(1998, 1, 2),
    changes=[(dt.date(2009, 8, 5), "WM"), (dt.date(1998, 7, 17), "WMI")],
    delisted_on=None,
)
WASHINGTON = symbol_stays(
    "WM@1998-12-09", "WM", start_date=dt.date(1998, 12, 9), changes=[], delisted_on=dt.date(2008, 9, 29)
)


@pytest.mark.parametrize(
    ("symbol", "date", "expected"),
    [
        ("UW", dt.date(1998, 7, 16), "WM"),
        ("UW", dt.date(1998, 7, 17), None),
        ("WMI", dt.date(1998, 7, 17), "WM"),
        ("WMI", dt.date(2009, 8, 4), "WM"),
        ("WM", dt.date(1998, 12, 8), None),
        ("WM", dt.date(2008, 9, 26), "WM@1998-12-09"),
        ("WM", dt.date(2008, 9, 29), None),
        ("WM", dt.date(2009, 8, 5), "WM"),
        ("WM", dt.date(2026, 1, 2), "WM"),
    ],
)
def test_a_symbol_names_the_company_that_bore_it_on_the_date(symbol: str, date: dt.date, expected: str | None) -> None:
    assert holder(WASTE + WASHINGTON, symbol, date) == expected


def test_an_instrument_without_changes_bears_its_symbol_for_ever() -> None:
    stays = symbol_stays("A", "A", start_date=None, changes=[], delisted_on=None)
    assert stays == [SymbolStay(instrument="A", symbol="A", start_date=None, end_date=None)]
    assert holder(stays, "A", dt.date.min) == holder(stays, "A", dt.date.max) == "A"


def test_a_listing_that_nobody_ended_does_not_hide_its_successor() -> None:
    first = symbol_stays("A", "A", start_date=None, changes=[], delisted_on=None)
    second = symbol_stays("A@2020-01-02", "A", start_date=dt.date(2020, 1, 2), changes=[], delisted_on=None)
    assert holder(first + second, "A", dt.date(2020, 1, 1)) == "A"
    assert holder(first + second, "A", dt.date(2020, 1, 2)) == "A@2020-01-02"


def test_a_symbol_that_nobody_bears_any_more_names_its_last_bearer() -> None:
    today = dt.date(2008, 12, 1)
    assert last_bearer(WASHINGTON, "WM", today) == "WM@1998-12-09"
    assert last_bearer(WASTE + WASHINGTON, "WM", dt.date(2026, 1, 2)) == "WM"
    assert last_bearer(WASTE, "UW", dt.date(2026, 1, 2)) == "WM"
    assert last_bearer(WASTE, "X", today) is None


def test_the_last_symbol_is_the_one_to_ask_a_vendor_for() -> None:
    assert last_symbol(WASTE + WASHINGTON, "WM") == "WM"
    assert last_symbol(WASTE, "X") is None


def test_changes_after_a_delisting_leave_no_stay() -> None:
    stays = symbol_stays(
        "A", "A", start_date=None, changes=[(dt.date(2021, 1, 4), "B")], delisted_on=dt.date(2020, 1, 2)
    )
    assert [(stay.symbol, stay.end_date) for stay in stays] == [("A", dt.date(2020, 1, 1))]


def test_a_taken_id_gets_the_date_beside_it() -> None:
    assert free_id("WM", dt.date(1998, 12, 9), ["AA"]) == "WM"
    assert free_id("WM", dt.date(1998, 12, 9), ["AA", "WM"]) == "WM@1998-12-09"


@given(days=st.sets(st.integers(1, 400), max_size=6), end=st.none() | st.integers(1, 500))
def test_stays_follow_each_other_without_gap_or_overlap(days: set[int], end: int | None) -> None:
    begin = dt.date(2020, 1, 1)
    changes = [(begin + n * DAY, f"S{n}") for n in days]
    delisted = begin + end * DAY if end else None
    stays = symbol_stays("A", "S0", start_date=begin, changes=changes, delisted_on=delisted)
    for before, after in pairwise(stays):
        assert before.end_date is not None
        assert after.start_date == before.end_date + DAY
    assert stays[0].start_date == begin
    assert stays[-1].end_date == (delisted - DAY if delisted else None)
