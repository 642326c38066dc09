"""Columns of files: what they mean by their names, and what their values become."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from backend.ingest.errors import SourceSettingsError
from backend.ingest.sources.columns import column_map, is_closes_only, typed
from backend.ingest.sources.contract import BAR_SCHEMA

FILE = Path("prices.csv")
JAN_2 = dt.date(2024, 1, 2)


def mapped(names: list[str], **mapping: str) -> dict[str, int]:
    return column_map(names, mapping, path=FILE)


def typed_dates(values: pa.Array) -> list[dt.date | None]:
    table = pa.table({"date": values, "close": pa.nulls(len(values))})
    dates: list[dt.date | None] = typed(table, path=FILE)["date"].to_pylist()
    return dates


def typed_closes(values: pa.Array) -> list[float | None]:
    table = pa.table({"date": pa.nulls(len(values)), "close": values})
    closes: list[float | None] = typed(table, path=FILE)["close"].to_pylist()
    return closes


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["date", "close"], {"date": 0, "close": 1}),
        (["Close", "DATE"], {"date": 1, "close": 0}),
        (["Symbol", "Datetime", "Close", "Vol."], {"ticker": 0, "date": 1, "close": 2, "volume": 3}),
        (["Name", "timestamp", "close"], {"ticker": 0, "date": 1, "close": 2}),
        (["Date", "Close", "Adj Close"], {"date": 0, "close": 1, "adjusted_close": 2}),
        (["date", "close", "adjusted_close"], {"date": 0, "close": 1, "adjusted_close": 2}),
        (["date", "close", "openinterest", "comment"], {"date": 0, "close": 1}),
    ],
    ids=str,
)
def test_columns_are_known_by_their_usual_names(names: list[str], expected: dict[str, int]) -> None:
    assert mapped(names) == expected


def test_an_earlier_synonym_is_preferred_to_a_later_one() -> None:
    assert mapped(["name", "symbol", "date", "close"])["ticker"] == 1


def test_a_mapping_wins_over_the_synonyms() -> None:
    assert mapped(["date", "close", "settle"], settle="close") == {"date": 0, "close": 2}


def test_a_mapped_column_means_nothing_else() -> None:
    # "close" is the volume of this odd file, so the close must be named too.
    assert mapped(["date", "close", "last"], close="volume", last="close") == {"date": 0, "close": 2, "volume": 1}


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["close"], "no column for date"),
        (["date"], "no column for close"),
        (["a", "b"], "no column for date and close; columns found: a, b"),
        ([], "columns found: none"),
        (["date", "close", "close"], "'close' appears more than once"),
        (["date", "Close", "close"], "'Close' and 'close' could both be 'close'"),
        (["date", "close", "open"], "open without the rest of open, high, low"),
        (["date", "close", "high", "low"], "high, low without the rest"),
    ],
    ids=str,
)
def test_names_that_do_not_say_what_they_mean_are_refused(names: list[str], reason: str) -> None:
    with pytest.raises(SourceSettingsError, match=reason):
        mapped(names)


def test_the_message_names_the_file_and_the_way_out() -> None:
    with pytest.raises(SourceSettingsError, match=r"prices\.csv.*say what they mean with --map their=ours"):
        mapped(["a"])


def test_a_mapping_to_none_of_our_columns_is_refused() -> None:
    with pytest.raises(SourceSettingsError, match="'settle' is none of our columns"):
        mapped(["date", "close"], close="settle")


def test_a_mapping_of_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(SourceSettingsError, match="the mapped column 'last' is not in it"):
        mapped(["date", "close"], last="close")


def test_two_columns_mapped_to_one_of_ours_are_refused() -> None:
    with pytest.raises(SourceSettingsError, match="'bid' and 'ask' are mapped to 'close'"):
        mapped(["date", "bid", "ask"], bid="close", ask="close")


def test_a_file_without_open_high_and_low_has_closes_only() -> None:
    assert is_closes_only(mapped(["date", "close", "volume"]))
    assert not is_closes_only(mapped(["date", "open", "high", "low", "close"]))


def test_columns_that_are_not_there_are_null() -> None:
    found = typed(pa.table({"date": [JAN_2], "close": [11.0]}), path=FILE)
    assert found.schema == BAR_SCHEMA
    assert found.to_pylist() == [dict.fromkeys(BAR_SCHEMA.names) | {"date": JAN_2, "close": 11.0}]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([JAN_2]),
        pa.array([JAN_2], pa.date64()),
        pa.array([dt.datetime(2024, 1, 2, 16)], pa.timestamp("ns")),  # noqa: DTZ001  a file's moment without zone
        pa.array(["2024-01-02"]),
        pa.array([" 2024-01-02 "], pa.large_string()),
        pa.array(["2024-01-02 16:00:00"]),
        pa.array(["2024-01-02T16:00:00.000Z"]),
        pa.array(["20240102"]),
        pa.array([20240102]),
        pa.array(["2024-01-02"]).dictionary_encode(),
    ],
    ids=lambda values: f"{values.type}-{values[0]}",
)
def test_dates_come_from_dates_timestamps_and_text(values: pa.Array) -> None:
    assert typed_dates(values) == [JAN_2]


def test_a_timestamp_with_a_zone_is_the_date_on_its_own_clock() -> None:
    # 03:00 UTC of the 3rd is 22:00 of the 2nd in New York and 14:00 of the 3rd in Sydney.
    moment = dt.datetime(2024, 1, 3, 3, tzinfo=dt.UTC)
    assert typed_dates(pa.array([moment], pa.timestamp("us", "America/New_York"))) == [JAN_2]
    assert typed_dates(pa.array([moment], pa.timestamp("us", "Australia/Sydney"))) == [dt.date(2024, 1, 3)]


def test_text_with_an_offset_is_the_date_on_its_own_clock() -> None:
    assert typed_dates(pa.array(["2024-01-02T22:00:00-05:00", "2024-01-02T00:00:00+11:00"])) == [JAN_2, JAN_2]


def test_a_moment_before_1970_is_of_the_day_it_falls_in() -> None:
    moment = dt.datetime(1969, 12, 31, 12)  # noqa: DTZ001  a file's moment without zone
    assert typed_dates(pa.array([moment], pa.timestamp("us"))) == [dt.date(1969, 12, 31)]


def test_blank_dates_are_null() -> None:
    assert typed_dates(pa.array(["", "  ", None])) == [None, None, None]


@pytest.mark.parametrize(
    "values",
    [pa.array(["02/01/2024"]), pa.array(["yesterday"]), pa.array([1704153600]), pa.array([20240102.0])],
    ids=["day first", "words", "seconds", "float"],
)
def test_what_is_no_date_is_refused(values: pa.Array) -> None:
    with pytest.raises(
        SourceSettingsError, match=r"column 'date' holds .*; expected dates, timestamps, or text such as"
    ):
        typed_dates(values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([11], pa.int64()), 11.0),
        (pa.array([11.5], pa.float32()), 11.5),
        (pa.array([Decimal("11.25")], pa.decimal128(10, 2)), 11.25),
        (pa.array([" 11.5 "]), 11.5),
        (pa.array([""]), None),
        (pa.array([float("nan")], from_pandas=False), None),
        (pa.nulls(1), None),
        (pa.array([11.5]).dictionary_encode(), 11.5),
    ],
    ids=str,
)
def test_numbers_are_widened_and_nan_and_blanks_become_null(values: pa.Array, expected: float | None) -> None:
    assert typed_closes(values) == [expected]


def test_a_price_that_is_no_number_is_refused() -> None:
    with pytest.raises(SourceSettingsError, match=r"column 'close' holds .*'n\.c\.'.*; expected a number"):
        typed_closes(pa.array(["n.c."]))


def test_a_ticker_with_a_nul_is_refused() -> None:
    table = pa.table({"ticker": ["A\0B"], "date": [JAN_2], "close": [11.0]})
    with pytest.raises(SourceSettingsError, match="column 'ticker' holds text with a NUL character"):
        typed(table, path=FILE)


def test_tickers_are_trimmed_text_and_blank_ones_null() -> None:
    table = pa.table({"ticker": [" A ", "", None, "NA"], "date": [JAN_2] * 4, "close": [11.0] * 4})
    assert typed(table, path=FILE)["ticker"].to_pylist() == ["A", None, None, "NA"]
