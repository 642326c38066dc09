"""Rows with a stated moment of publication."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingest.errors import SourceSettingsError
from backend.ingest.quality.quarantine import Checked
from backend.ingest.quality.versions import checked, version_numbers
from backend.ingest.sources.contract import VINTAGE_SCHEMA, FetchRequest
from backend.ingest.sources.files import FilesSource
from support.bars import bar, bars_of

MONDAY, TUESDAY = dt.date(2024, 1, 8), dt.date(2024, 1, 9)
TODAY = dt.date(2026, 11, 25)


def moment(day: int, hour: int = 0) -> dt.datetime:
    return dt.datetime(2024, 1, day, hour, tzinfo=dt.UTC)


def vintages(*rows: tuple[dt.date | None, float, dt.datetime]) -> pa.Table:
    """Rows of (date, close, moment of publication)."""
    bars = bars_of(bar("A", date, close) if date else bar("A", close=close, date=None) for date, close, _ in rows)  # type: ignore[arg-type]
    moments = pa.array([published for _, _, published in rows], pa.timestamp("us", tz="UTC"))
    return bars.append_column(VINTAGE_SCHEMA.field("known_at"), moments)


def found(bars: pa.Table) -> Checked:
    return checked(bars, ticker="A", today=TODAY, is_closes_only=False)


def test_every_version_of_a_bar_is_kept_in_the_order_of_publication() -> None:
    bars = vintages((MONDAY, 12.0, moment(11)), (TUESDAY, 20.0, moment(10)), (MONDAY, 11.0, moment(9)))
    good = found(bars).good
    assert good.schema == VINTAGE_SCHEMA
    assert [(row["date"], row["close"], row["known_at"]) for row in good.to_pylist()] == [
        (MONDAY, 11.0, moment(9)),
        (MONDAY, 12.0, moment(11)),
        (TUESDAY, 20.0, moment(10)),
    ]


def test_two_rows_of_one_date_and_moment_are_duplicates() -> None:
    result = found(vintages((MONDAY, 11.0, moment(9)), (MONDAY, 12.0, moment(9)), (MONDAY, 13.0, moment(10))))
    assert result.good["close"].to_pylist() == [11.0, 13.0]
    assert [row.rules for row in result.quarantined] == [("duplicate",)]


def test_a_bar_published_before_its_session_is_of_the_future() -> None:
    # The day after is still taken: Sydney is ahead of UTC.
    result = found(vintages((MONDAY, 11.0, moment(6, 23)), (TUESDAY, 12.0, moment(8))))
    assert [(row.date, row.rules) for row in result.quarantined] == [(MONDAY, ("future_date",))]
    assert result.good["date"].to_pylist() == [TUESDAY]


def test_a_bad_version_is_set_aside_alone() -> None:
    result = found(vintages((MONDAY, 11.0, moment(9)), (MONDAY, -1.0, moment(10)), (None, 5.0, moment(9))))
    assert result.good["close"].to_pylist() == [11.0]
    assert sorted(row.rules[0] for row in result.quarantined) == ["missing_date", "non_positive_price"]


def test_nothing_is_nothing() -> None:
    assert found(vintages()).good == VINTAGE_SCHEMA.empty_table()


@given(rows=st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 3), st.integers(9, 12)), max_size=30))
def test_versions_are_counted_within_ticker_and_date(rows: list[tuple[str, int, int]]) -> None:
    table = pa.table(
        {
            "ticker": pa.array([ticker for ticker, _, _ in rows], pa.string()),
            "date": pa.array([dt.date(2024, 1, day) for _, day, _ in rows], pa.date32()),
            "known_at": pa.array([moment(published) for _, _, published in rows], pa.timestamp("us", tz="UTC")),
        }
    )
    # By definition: how many moments of the same bar come before.
    expected = [
        len({published for other, date, published in rows if (other, date) == row[:2] and published < row[2]})
        for row in rows
    ]
    np.testing.assert_array_equal(version_numbers(table), expected)


async def read(tmp_path: Path, known_at: pa.Array) -> pa.Table:
    table = bars_of([bar("A", MONDAY), bar("A", TUESDAY)]).append_column("file_date", known_at)
    path = tmp_path / "bars.csv"
    pcsv.write_csv(table, path)
    source = FilesSource(path, {"file_date": "known_at"})
    return (await source.fetch(FetchRequest(ticker="A", start=None, end=None))).bars


async def test_a_day_of_publication_counts_from_its_end(tmp_path: Path) -> None:
    bars = await read(tmp_path, pa.array(["2024-01-09", "2024-01-10"]))
    assert bars["known_at"].to_pylist() == [moment(10), moment(11)]


async def test_a_moment_of_publication_counts_as_it_is(tmp_path: Path) -> None:
    zone = dt.timezone(dt.timedelta(hours=-5))
    stamps = [dt.datetime(2024, 1, 9, 17, 30, tzinfo=zone), dt.datetime(2024, 1, 10, 0, 0, tzinfo=zone)]
    bars = await read(tmp_path, pa.array(stamps, pa.timestamp("s", tz="UTC")))
    assert bars["known_at"].to_pylist() == [moment(9, 22) + dt.timedelta(minutes=30), moment(10, 5)]


async def test_a_row_without_publication_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceSettingsError, match=r"known_at.*nothing in 1 rows.*every row"):
        await read(tmp_path, pa.array(["2024-01-09", None]))


async def test_a_publication_that_is_no_moment_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceSettingsError, match="known_at"):
        await read(tmp_path, pa.array(["soon", "later"]))


async def test_publication_is_never_guessed_from_a_name(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    pcsv.write_csv(bars_of([bar("A", MONDAY)]).append_column("known_at", pa.array(["2024-01-09"])), path)
    bars = (await FilesSource(path).fetch(FetchRequest(ticker="A", start=None, end=None))).bars
    assert "known_at" not in bars.column_names
