"""Bars from files: CSV, packed CSV and Parquet, alone and in folders."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from backend.ingest.errors import SourceSettingsError, TickerNotFoundError
from backend.ingest.quality.versions import checked
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, FetchRequest, PriceSource
from backend.ingest.sources.files import NO_TICKER, FilesSource, Parts, within
from support.bars import bar, bars_of

DAYS = [dt.date(2024, 1, day) for day in (2, 3, 4)]
#: Two tickers, out of order.
ROWS = [bar("B", DAYS[0], 20.0), bar("A", DAYS[1], 11.5), bar("A", DAYS[0], 11.0), bar("A", DAYS[2], 12.0)]


def csv_file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


async def rows_in(path: Path, columns: Mapping[str, str] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Rows by ticker; Any: mixed columns."""
    source: PriceSource = FilesSource(path, columns)
    found = {}
    for ticker in await source.tickers():
        answer = await source.fetch(FetchRequest(ticker=ticker, start=None, end=None))
        assert answer.bars.schema == BAR_SCHEMA
        assert answer.actions.schema == ACTION_SCHEMA
        found[ticker] = answer.bars.to_pylist()
    await source.close()
    return found


async def closes_in(path: Path, columns: Mapping[str, str] | None = None) -> dict[str, list[float]]:
    found = await rows_in(path, columns)
    return {ticker: [row["close"] for row in rows] for ticker, rows in found.items()}


async def spanned(path: Path, *, start: dt.date | None = None, end: dt.date | None = None) -> list[dt.date | None]:
    answer = await FilesSource(path).fetch(FetchRequest(ticker="A", start=start, end=end))
    dates: list[dt.date | None] = answer.bars["date"].to_pylist()
    return dates


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    path = tmp_path / "bars.parquet"
    pq.write_table(bars_of(ROWS), path)
    return path


@pytest.mark.parametrize("name", ["bars.csv", "bars.csv.gz", "bars.parquet", "BARS.CSV", "BARS.CSV.GZ", "BARS.PARQUET"])
async def test_every_form_of_file_gives_the_same_rows_sorted_by_date(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.lower().endswith(".parquet"):
        pq.write_table(bars_of(ROWS), path)
    else:
        pcsv.write_csv(bars_of(ROWS), tmp_path / "plain")
        text = (tmp_path / "plain").read_bytes()
        path.write_bytes(gzip.compress(text) if name.lower().endswith(".gz") else text)
    assert await rows_in(path) == {"A": [ROWS[2], ROWS[1], ROWS[3]], "B": [ROWS[0]]}


async def test_where_no_column_names_the_ticker_the_file_does(tmp_path: Path) -> None:
    packed = tmp_path / "BHP.AX.csv.gz"
    packed.write_bytes(gzip.compress(b"date,close\n2024-01-02,45\n"))
    assert await closes_in(packed) == {"BHP.AX": [45.0]}


async def test_a_folder_is_all_its_files_of_prices(tmp_path: Path) -> None:
    csv_file(tmp_path / "A.csv", "date,close\n2024-01-02,11\n")
    csv_file(tmp_path / "rest.csv", "symbol,date,close\nB,2024-01-02,20\nA,2024-01-03,12\n")
    csv_file(tmp_path / "README.txt", "not prices")
    pq.write_table(pa.table({"date": [DAYS[0]], "close": [30.0]}), tmp_path / "C.parquet")
    assert await closes_in(tmp_path) == {"A": [11.0, 12.0], "B": [20.0], "C": [30.0]}


async def test_the_mapping_says_what_a_column_means(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "prices.csv", "ric,day,settle,close\nA,2024-01-02,11,99\n")
    assert await closes_in(path, {"ric": "ticker", "day": "date", "settle": "close"}) == {"A": [11.0]}


async def test_the_ticker_na_is_a_ticker_and_no_missing_value(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "prices.csv", "ticker,date,close\nNA,2024-01-02,11\nnull,2024-01-02,12\nNaN,2024-01-02,13\n"
    )
    assert await closes_in(path) == {"NA": [11.0], "NaN": [13.0], "null": [12.0]}


async def test_a_ticker_of_digits_keeps_its_zeros(tmp_path: Path) -> None:
    assert await closes_in(csv_file(tmp_path / "hk.csv", "ticker,date,close\n0005,2024-01-02,60\n")) == {"0005": [60.0]}


async def test_rows_without_a_ticker_come_under_a_name_of_their_own_and_fail_quality_control(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "prices.csv", "ticker,date,close\nA,2024-01-02,11\n,2024-01-03,12\n")
    answer = await FilesSource(path).fetch(FetchRequest(ticker=NO_TICKER, start=None, end=None))
    found = checked(answer.bars, ticker=NO_TICKER, today=DAYS[2], is_closes_only=True)
    assert [row.rules for row in found.quarantined] == [("wrong_ticker",)]
    assert found.good.num_rows == 0


async def test_missing_numbers_are_null(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "A.csv", "date,open,high,low,close,volume\n2024-01-02,,NaN,9,11,N/A\n")
    (row,) = (await rows_in(path))["A"]
    assert row == dict.fromkeys(BAR_SCHEMA.names) | {"ticker": "A", "date": DAYS[0], "low": 9.0, "close": 11.0}


async def test_whole_numbers_may_be_followed_by_others(tmp_path: Path) -> None:
    # More than one block of the reader, which has guessed the type by then.
    lines = ["date,close", *["2024-01-02,11"] * 100_000, "2024-01-03,11.5"]
    closes = (await closes_in(csv_file(tmp_path / "A.csv", "\n".join(lines))))["A"]
    assert (len(closes), closes[-1]) == (100_001, 11.5)


async def test_rows_of_one_date_stay_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "A.csv", "date,close\n2024-01-03,3\n2024-01-02,2\n2024-01-02,1\n2024-01-02,3\n")
    assert await closes_in(path) == {"A": [2.0, 1.0, 3.0, 3.0]}


async def test_closes_only_are_said_to_be_so(tmp_path: Path, parquet: Path) -> None:
    request = FetchRequest(ticker="A", start=None, end=None)
    closes = csv_file(tmp_path / "A.csv", "date,close\n2024-01-02,11\n")
    assert (await FilesSource(closes).fetch(request)).metadata == {"fields": "close"}
    assert (await FilesSource(parquet).fetch(request)).metadata == {}


async def test_files_that_disagree_on_open_high_and_low_are_refused(tmp_path: Path, parquet: Path) -> None:
    csv_file(tmp_path / "C.csv", "date,close\n2024-01-02,11\n")
    with pytest.raises(SourceSettingsError, match="ingest them as two universes"):
        await FilesSource(tmp_path).tickers()


async def test_a_delta_request_includes_both_its_ends(parquet: Path) -> None:
    assert await spanned(parquet, start=DAYS[1]) == DAYS[1:]
    assert await spanned(parquet, end=DAYS[1]) == DAYS[:2]
    assert await spanned(parquet, start=DAYS[1], end=DAYS[1]) == [DAYS[1]]


async def test_a_request_for_nothing_new_is_answered_with_no_rows(parquet: Path) -> None:
    assert await spanned(parquet, start=dt.date(2024, 2, 1)) == []


async def test_rows_without_a_date_come_only_with_the_whole_past(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "A.csv", "date,close\n2024-01-02,11\n,12\n")
    assert await spanned(path, end=DAYS[0]) == [DAYS[0], None]
    assert await spanned(path, start=DAYS[0]) == [DAYS[0]]


async def test_a_ticker_that_no_file_holds_is_not_found(parquet: Path) -> None:
    with pytest.raises(TickerNotFoundError, match="has no rows of it"):
        await FilesSource(parquet).fetch(FetchRequest(ticker="Z", start=None, end=None))


async def test_files_are_read_once(parquet: Path) -> None:
    source = FilesSource(parquet)
    tickers = await source.tickers()
    parquet.unlink()
    assert await source.tickers() == tickers == ["A", "B"]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("A.csv", b"", "it cannot be read: Empty CSV file"),
        ("A.csv", b"date,close\n2024-01-02,11,12\n", "Expected 2 columns, got 3"),
        ("A.csv", "date,close,caf\u00e9\n".encode("latin-1"), "it cannot be read: 'utf-8' codec"),
        ("A.csv", "date,close,name\n2024-01-02,1,\u00e9\n".encode("latin-1"), "invalid UTF8 data"),
        ("A.csv.gz", b"date,close\n", "it cannot be read"),
        ("A.parquet", b"date,close\n", "it cannot be read"),
        ("A.xlsx", b"PK", "expected a file ending in .parquet, .csv, .csv.gz"),
        ("A.csv", b"date,price\n2024-01-02,11\n", "no column for close"),
        ("A.csv", b"date,close\nsoon,11\n", "column 'date' holds"),
    ],
    ids=str,
)
async def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceSettingsError, match=reason) as caught:
        await FilesSource(tmp_path / name).tickers()
    assert caught.value.field == "path"
    assert caught.value.value == str(tmp_path / name)


async def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceSettingsError, match="there is no such file or folder"):
        await FilesSource(tmp_path / "gone.csv").tickers()


async def test_a_folder_without_prices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceSettingsError, match="the folder has no file ending in"):
        await FilesSource(tmp_path).tickers()


async def test_a_file_of_a_header_alone_has_no_tickers(tmp_path: Path) -> None:
    assert await FilesSource(csv_file(tmp_path / "A.csv", "date,close\n")).tickers() == []


def test_parting_keeps_every_row_under_its_ticker() -> None:
    parts = Parts(bars_of([*ROWS, bar() | {"ticker": None}]))
    assert {ticker: part.num_rows for ticker, part in parts.items()} == {NO_TICKER: 1, "A": 3, "B": 1}
    assert parts["A"].schema == BAR_SCHEMA


def test_a_request_without_ends_is_everything() -> None:
    bars = bars_of(ROWS)
    assert within(bars, FetchRequest(ticker="A", start=None, end=None)).equals(bars)
