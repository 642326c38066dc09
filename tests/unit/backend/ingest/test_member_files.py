"""Members from files: what is understood, and every error named with its line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from backend.ingest.errors import MembersFileError, SourceSettingsError
from backend.ingest.member_files import read_members
from strategy.universe import SINCE_EVER, MemberChange, Membership, changed_stays, members_on


def written(folder: Path, *lines: str, name: str = "members.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def stay(ticker: str, start: str, end: str | None = None) -> Membership:
    last = dt.date.fromisoformat(end) if end else None
    return Membership(ticker=ticker, start_date=dt.date.fromisoformat(start), end_date=last)


def test_a_ticker_has_one_row_for_each_stay(tmp_path: Path) -> None:
    path = written(
        tmp_path, "ticker,start_date,end_date", "AAL,1996-01-02,1997-01-15", "AAL,2015-03-23,", "NA,2001-01-02,"
    )
    assert read_members(path).stays == (
        stay("AAL", "1996-01-02", "1997-01-15"),
        stay("AAL", "2015-03-23"),
        stay("NA", "2001-01-02"),
    )


def test_other_names_of_the_columns_are_understood_and_the_rest_is_left(tmp_path: Path) -> None:
    path = written(tmp_path, 'Symbol,Security,"Date added"', 'AOS,"Smith, A. O.",2017-07-26')
    assert read_members(path).stays == (stay("AOS", "2017-07-26"),)


def test_a_list_without_dates_holds_since_ever(tmp_path: Path) -> None:
    assert read_members(written(tmp_path, "ticker", "SPY")).stays == (
        Membership(ticker="SPY", start_date=SINCE_EVER, end_date=None),
    )


def test_an_end_may_be_the_first_day_out(tmp_path: Path) -> None:
    path = written(tmp_path, "ticker,start_date,end_date", "TWTR,2018-06-07,2022-11-01")
    assert read_members(path, end_date="first-day-out").stays == (stay("TWTR", "2018-06-07", "2022-10-31"),)


def test_a_list_of_changes_names_who_comes_and_who_goes(tmp_path: Path) -> None:
    path = written(tmp_path, "date,add,remove", '2025-09-22,"APP,HOOD",CZR', "2025-11-03,Q,")
    first, second = dt.date(2025, 9, 22), dt.date(2025, 11, 3)
    assert read_members(path).changes == (
        MemberChange(ticker="APP", date=first, joins=True),
        MemberChange(ticker="HOOD", date=first, joins=True),
        MemberChange(ticker="CZR", date=first, joins=False),
        MemberChange(ticker="Q", date=second, joins=True),
    )


def test_parquet_says_the_same_as_csv(tmp_path: Path) -> None:
    frame = pd.DataFrame({"ticker": ["A", "B"], "start_date": pd.to_datetime(["2020-01-02", "2020-01-03"])})
    frame["end_date"] = [dt.date(2021, 1, 4), None]
    frame.to_parquet(tmp_path / "members.parquet")
    expected = (stay("A", "2020-01-02", "2021-01-04"), stay("B", "2020-01-03"))
    assert read_members(tmp_path / "members.parquet").stays == expected


def test_every_error_of_a_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "ticker,start_date,end_date",
        "A,2020-01-02,2020-03-01",
        ",2020-01-02,",
        "B,soon,",
        "",
        "A,2020-03-01,",
        "C,2020-01-02,2019-12-31",
        "D",
        "E,2020-02-30,",
    )
    with pytest.raises(MembersFileError) as caught:
        read_members(path)
    assert caught.value.problems == (
        "line 3: the ticker is empty",
        "line 4: start_date='soon' is no date such as 2024-01-31",
        "line 7: C ends on 2019-12-31, before it has begun on 2020-01-02",
        "line 8: start_date='' is no date such as 2024-01-31",
        "line 9: start_date='2020-02-30' is no date such as 2024-01-31",
        "line 6: A from 2020-03-01 overlaps its stay in line 2",
    )
    assert "6 errors, nothing was stored" in str(caught.value)


def test_the_message_of_a_file_full_of_errors_stays_readable(tmp_path: Path) -> None:
    path = written(tmp_path, "ticker,start_date", *["A,never"] * 500)
    with pytest.raises(MembersFileError, match=r"500 errors.*line 21: .*and 480 more$"):
        read_members(path)


def test_who_leaves_on_the_day_of_joining_ends_before_the_beginning(tmp_path: Path) -> None:
    path = written(tmp_path, "ticker,start_date,end_date", "A,2020-01-02,2020-01-02")
    assert read_members(path).stays == (stay("A", "2020-01-02", "2020-01-02"),)
    with pytest.raises(MembersFileError, match="before it has begun"):
        read_members(path, end_date="first-day-out")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("ticker,start_date,end_date",), "the file has no row"),
        (("name,shares", "A,5"), "columns found: name, shares"),
        (("date,add,remove", "2020-01-02,,"), "line 2: neither adds nor removes a ticker"),
        (("date,add", "2020,A"), "line 2: date='2020'"),
    ],
)
def test_a_file_that_says_nothing_is_refused(tmp_path: Path, lines: tuple[str, ...], reason: str) -> None:
    with pytest.raises(SourceSettingsError, match=reason):
        read_members(written(tmp_path, *lines))


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    for name in ("nowhere.csv", "nowhere.parquet"):
        with pytest.raises(SourceSettingsError, match=name):
            read_members(tmp_path / name)
    written(tmp_path, "ticker", name="text.parquet")
    with pytest.raises(SourceSettingsError, match="cannot be read"):
        read_members(tmp_path / "text.parquet")


@pytest.mark.shared_data
def test_the_sp500_of_every_new_year_is_what_pandas_counts(shared_data: Path) -> None:
    path = shared_data / "membership" / "sp500_ticker_start_end.csv"
    stays = read_members(path).stays
    frame = pd.read_csv(path, keep_default_na=False)
    assert (len(stays), len({it.ticker for it in stays})) == (1230, 1181)
    for year in range(1997, 2026):
        day = f"{year}-01-02"
        inside = (frame["start_date"] <= day) & ((frame["end_date"] == "") | (frame["end_date"] >= day))
        found = [it.ticker for it in members_on(stays, dt.date(year, 1, 2))]
        assert sorted(found) == sorted(frame["ticker"][inside])
    assert len(members_on(stays, dt.date(2008, 1, 2))) == 498  # as SOURCES.md beside the data says


@pytest.mark.shared_data
def test_the_ends_of_the_sp500_file_are_the_first_days_out(shared_data: Path) -> None:
    """Its end dates are those on which the list of changes lets tickers leave; it dates two renamed ones otherwise."""
    stays = read_members(shared_data / "membership" / "sp500_ticker_start_end.csv", end_date="first-day-out").stays
    changes = read_members(shared_data / "membership" / "sp500_changes_since_2019.csv").changes
    assert len(changes) == 294
    later = [change for change in changes if change.date > dt.date(2025, 7, 9)]  # the newest date of the first file
    kept = {"WLTW", "WTW", "RE", "EG"}
    again = changed_stays(stays, [change for change in changes if change.ticker not in kept and change not in later])
    assert sorted(again, key=lambda it: (it.ticker, it.start_date)) == sorted(
        stays, key=lambda it: (it.ticker, it.start_date)
    )
    assert len(changed_stays(stays, later)) == 1240
