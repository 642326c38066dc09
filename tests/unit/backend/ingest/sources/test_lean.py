"""Map and factor files, by hand and against the recorded ones."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose

from backend.ingest.errors import SourceSettingsError
from backend.ingest.sources.lean import read_factor_file, read_map_file
from strategy.adjustments import CorporateActions, backward_factors

DAY = dt.timedelta(days=1)


def written(folder: Path, text: str) -> Path:
    path = folder / "x.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_map_file_tells_symbols_from_their_first_day(tmp_path: Path) -> None:
    # USA Waste bore UW until 1998-07-16, WMI until 2009-08-04, and WM since.
    found = read_map_file(written(tmp_path, "19980102,uw,N\n19980716,uw,N\n20090804,wmi,N\n20501231,wm,N\n"))
    assert (found.symbol, found.start_date, found.delisted_on) == ("UW", dt.date(1998, 1, 2), None)
    assert found.changes == ((dt.date(1998, 7, 17), "WMI"), (dt.date(2009, 8, 5), "WM"))
    assert found.last_symbol == "WM"


def test_a_map_file_that_ends_is_a_delisting(tmp_path: Path) -> None:
    found = read_map_file(written(tmp_path, "19980102,twx\n20010111,twx\n"))
    assert (found.symbol, found.changes, found.delisted_on) == ("TWX", (), dt.date(2001, 1, 12))


def test_a_symbol_that_is_left_and_taken_up_again_changes_twice(tmp_path: Path) -> None:
    found = read_map_file(written(tmp_path, "19990310,qqq\n20041130,qqq\n20110322,qqqq\n20501231,qqq\n"))
    assert found.changes == ((dt.date(2004, 12, 1), "QQQQ"), (dt.date(2011, 3, 23), "QQQ"))


def test_a_factor_file_tells_splits_and_dividends_of_the_next_session(tmp_path: Path) -> None:
    # 4:1 after a close of 400; a dividend of 2 from a close of 100: factor 0.98.
    path = written(tmp_path, "20200102,0.98,0.25,1\n20200103,0.98,0.25,400\n20200107,0.98,1,100\n20501231,1,1,0\n")
    found = read_factor_file(path, ticker="A", next_session=lambda date: date + 3 * DAY)
    expected = [("A", dt.date(2020, 1, 6), "split", 4.0), ("A", dt.date(2020, 1, 10), "dividend", 2.0)]
    rows = [(row["ticker"], row["ex_date"], row["kind"], row["value"]) for row in found.to_pylist()]
    assert rows == [(*row[:3], pytest.approx(row[3], rel=1e-12)) for row in expected]


def test_a_dividend_on_the_day_of_a_split_is_per_new_share(tmp_path: Path) -> None:
    # From a close of 100, two for one, 1 paid on each new share: factor 1 - 2 / 100.
    path = written(tmp_path, "20200103,0.98,0.5,100\n20501231,1,1,0\n")
    found = read_factor_file(path, ticker="A", next_session=lambda date: date + DAY)
    assert [(row["kind"], round(row["value"], 12)) for row in found.to_pylist()] == [("split", 2.0), ("dividend", 1.0)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("20200102,a\n", "no line with a last date"),
        ("20200102,a\n2020-01-03,a\n", "line 2: '2020-01-03' is no date"),
        ("20200102\n20200103\n", "line 1: expected 2 columns, found 1"),
    ],
)
def test_a_damaged_map_file_is_refused_by_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SourceSettingsError, match=reason):
        read_map_file(written(tmp_path, text))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("20200102,1,x,1", "line 1: a factor that is no number"),
        ("20200102,0,1,1", "line 1: factors must be positive"),
        ("20200102,1,1,-1", "line 1: factors must be positive"),
        ("20200102,1,1", "line 1: expected 4 columns, found 3"),
        ("20201302,1,1,1", "line 1: '20201302' is no date"),
    ],
)
def test_a_damaged_factor_file_is_refused_by_line(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(SourceSettingsError, match=reason):
        read_factor_file(written(tmp_path, line + "\n"), ticker="A", next_session=lambda date: date + DAY)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceSettingsError, match=r"nowhere\.csv.*cannot be read"):
        read_map_file(tmp_path / "nowhere.csv")


def series_of(shared_data: Path, stem: str) -> pd.DataFrame:
    """Raw closes of a company under the symbols of its map file.

    Of QQQ the bars of 2004 to 2011, under QQQQ, are not among the raw ones, so its factors cannot be recomputed.
    """
    company = read_map_file(shared_data / "lean" / "map_files" / f"{stem}.csv")
    bars = pd.read_parquet(shared_data / "lean" / "us_daily_raw.parquet", columns=["symbol", "date", "close"])
    starts = [(company.start_date, company.symbol), *company.changes]
    parts = []
    for (start, symbol), (stop, _) in zip(starts, [*starts[1:], (dt.date(2051, 1, 1), "")], strict=True):
        parts.append(bars[(bars.symbol == symbol) & (bars.date >= start) & (bars.date < stop)])
    return pd.concat(parts).sort_values("date")


@pytest.mark.shared_data
@pytest.mark.parametrize("stem", ["aapl", "aig", "bac", "bno", "eem", "goog", "googl", "ibm", "iwm", "spy", "uso"])
def test_factors_at_read_are_those_of_the_factor_file(shared_data: Path, stem: str) -> None:
    bars = series_of(shared_data, stem)
    dates = bars["date"].to_numpy().astype("datetime64[D]")
    path = shared_data / "lean" / "factor_files" / f"{stem}.csv"
    actions = read_factor_file(path, ticker=stem, next_session=lambda date: date + DAY)
    dividends, splits = backward_factors(bars["close"].to_numpy()[:, np.newaxis], on_sessions(actions, dates))
    lines = pd.read_csv(path, header=None, names=["date", "price", "split", "reference"])
    last_days = pd.to_datetime(lines["date"].astype(str), format="%Y%m%d").to_numpy().astype("datetime64[D]")
    # A line holds up to its own date. The data end in 2021: later actions are none of theirs.
    line = np.searchsorted(last_days, dates)
    newest = line[-1]
    assert_allclose(dividends[:, 0], lines["price"].to_numpy()[line] / lines["price"][newest], rtol=3e-6)
    assert_allclose(splits[:, 0], lines["split"].to_numpy()[line] / lines["split"][newest], rtol=2e-5)


def on_sessions(actions: pa.Table, dates: np.ndarray) -> CorporateActions:
    """The actions of one asset on the first session at or after their ex-date."""
    rows: dict[int, list[float]] = {}
    for action in actions.to_pylist():
        row = int(np.searchsorted(dates, np.datetime64(action["ex_date"], "D")))
        if row < dates.size:
            entry = rows.setdefault(row, [1.0, 0.0])
            if action["kind"] == "split":
                entry[0] *= action["value"]
            else:
                entry[1] += action["value"]
    places = sorted(rows)
    return CorporateActions(
        rows=np.array(places, dtype=np.intp),
        columns=np.zeros(len(places), dtype=np.intp),
        split_ratios=np.array([rows[row][0] for row in places]),
        dividends=np.array([rows[row][1] for row in places]),
    )
