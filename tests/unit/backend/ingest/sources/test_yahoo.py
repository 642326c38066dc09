"""Yahoo: prices as traded again, and every failure of the library as one of ours."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from yfinance import utils
from yfinance.exceptions import (
    YFDataException,
    YFPricesMissingError,
    YFRateLimitError,
    YFTzMissingError,
)

from backend.ingest.errors import (
    BadDataError,
    DelistedError,
    NetworkError,
    RateLimitError,
    SourceError,
    SourceTimeoutError,
    TickerNotFoundError,
)
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, FetchRequest, PriceSource
from backend.ingest.sources.yahoo import YahooSource

EVERYTHING = FetchRequest(ticker="X", start=None, end=None)


def frame_of(days: list[str], close: list[float], splits: list[float], dividends: list[float]) -> pd.DataFrame:
    """A frame as the library gives it, with prices divided by all later splits, as Yahoo sends them."""
    index = pd.DatetimeIndex(days, tz="America/New_York", name="Date")
    values = dict.fromkeys(("Open", "High", "Low", "Close", "Adj Close"), close)
    return pd.DataFrame({**values, "Volume": 1000.0, "Dividends": dividends, "Stock Splits": splits}, index=index)


async def fetched(frame: pd.DataFrame, request: FetchRequest = EVERYTHING) -> tuple[list[Any], list[Any]]:  # Any: rows
    source: PriceSource = YahooSource(history=lambda _ticker, _start: frame)
    found = await source.fetch(request)
    assert found.bars.schema == BAR_SCHEMA
    assert found.actions.schema == ACTION_SCHEMA
    return found.bars.to_pylist(), found.actions.to_pylist()


async def test_prices_before_a_split_are_made_as_traded_again() -> None:
    # A 2:1 split on the 3rd and a 3:1 split on the 5th: a share of the 2nd became six.
    frame = frame_of(
        ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"],
        [10.0, 11.0, 12.0, 13.0],
        [0.0, 2.0, 0.0, 3.0],
        [0.0, 0.0, 0.1, 0.0],
    )
    bars, actions = await fetched(frame)
    assert [row["close"] for row in bars] == [60.0, 33.0, 36.0, 13.0]
    assert [row["volume"] for row in bars] == [round(1000 / 6), round(1000 / 3), round(1000 / 3), 1000]
    assert [row["adjusted_close"] for row in bars] == [10.0, 11.0, 12.0, 13.0]
    assert [(row["ex_date"].day, row["kind"], row["value"]) for row in actions] == [
        (3, "split", 2.0),
        (5, "split", 3.0),
        (4, "dividend", pytest.approx(0.3)),
    ]


async def test_splits_after_the_asked_span_count_too() -> None:
    frame = frame_of(["2024-01-02", "2024-01-03", "2024-01-04"], [10.0, 10.0, 10.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0])
    bars, actions = await fetched(frame, FetchRequest(ticker="X", start=dt.date(2024, 1, 3), end=dt.date(2024, 1, 3)))
    assert [(row["date"].day, row["close"]) for row in bars] == [(3, 20.0)]
    assert actions == []


async def test_a_new_split_is_no_restatement() -> None:
    # What Yahoo sends is a 32-bit float: 499.23 as traded, quartered by the 4:1 split of 2020-08-31.
    days, none = ["2020-08-28", "2020-08-31"], [0.0, 0.0]
    before, _ = await fetched(frame_of(days[:1], [float(np.float32(499.23))], none[:1], none[:1]))
    after, _ = await fetched(frame_of(days, [float(np.float32(499.23 / 4)), 129.04], [0.0, 4.0], none))
    assert before[0]["close"] == after[0]["close"] == 499.23


async def test_the_session_is_the_local_date_of_the_exchange() -> None:
    frame = (
        frame_of(["2024-01-02"], [10.0], [0.0], [0.0])
        .tz_convert(None)
        .tz_localize("UTC")
        .tz_convert("Australia/Sydney")
    )
    bars, _ = await fetched(frame)
    assert bars[0]["date"] == dt.date(2024, 1, 2)


@pytest.mark.parametrize("volume", [0.0, np.nan])
async def test_a_row_without_any_value_is_no_bar_but_a_partial_one_is_kept_for_quality_control(volume: float) -> None:
    days, zeros = ["2024-01-02", "2024-01-03", "2024-01-04"], [0.0, 0.0, 0.0]
    frame = frame_of(days, [10.0, 11.0, 12.0], zeros, [0.0, 0.0, 0.5])
    frame.loc[frame.index[0], "Open"] = np.nan
    frame.loc[frame.index[1:], ["Open", "High", "Low", "Close", "Adj Close"]] = np.nan
    frame.loc[frame.index[2], "Volume"] = volume
    bars, actions = await fetched(frame)
    # The 2nd lacks its open, the 3rd has a volume but no price, the 4th has nothing but a dividend.
    assert [(row["date"].day, row["open"], row["close"]) for row in bars] == [(2, None, 10.0), (3, None, None)]
    assert [(row["ex_date"].day, row["value"]) for row in actions] == [(4, 0.5)]


class Timeout(OSError):  # noqa: N818  the name that HTTP libraries give it
    pass


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (YFRateLimitError(), RateLimitError),
        (YFTzMissingError("X"), TickerNotFoundError),
        (YFPricesMissingError("X", "", yahoo_reason="No data found, symbol may be delisted"), DelistedError),
        (YFPricesMissingError("X", "(1d 1970 -> 2024)"), DelistedError),
        (YFPricesMissingError("X", "", yahoo_reason="Data doesn't exist for startDate = 1"), TickerNotFoundError),
        (YFPricesMissingError("X", "", yahoo_reason="Internal Server Error"), NetworkError),
        (YFDataException("down"), NetworkError),
        (ConnectionError("reset"), NetworkError),
        (Timeout("slow"), SourceTimeoutError),
        (TimeoutError(), SourceTimeoutError),
        (json.JSONDecodeError("x", "y", 0), NetworkError),
        (KeyError("timestamp"), BadDataError),
    ],
)
async def test_every_failure_of_the_library_becomes_one_of_ours(raised: Exception, expected: type[SourceError]) -> None:
    def failing(_ticker: str, _start: dt.date | None) -> pd.DataFrame:
        raise raised

    with pytest.raises(expected) as caught:
        await YahooSource(history=failing).fetch(EVERYTHING)
    assert type(caught.value.__cause__) is type(raised)


@pytest.mark.parametrize(
    "reason",
    [
        None,
        "Data doesn't exist for startDate = 1, endDate = 2",
        "Invalid input - start date cannot be after end date. startDate = 2, endDate = 1",
    ],
)
async def test_a_delta_request_that_finds_nothing_new_is_no_failure(reason: str | None) -> None:
    def failing(_ticker: str, _start: dt.date | None) -> pd.DataFrame:
        raise YFPricesMissingError("X", "", yahoo_reason=reason)

    found = await YahooSource(history=failing).fetch(FetchRequest(ticker="X", start=dt.date(2024, 1, 1), end=None))
    assert found.bars.num_rows == 0


async def test_an_empty_answer_for_everything_is_not_a_success() -> None:
    with pytest.raises(TickerNotFoundError):
        await fetched(frame_of([], [], [], []))


async def test_a_frame_of_other_columns_is_bad_data() -> None:
    with pytest.raises(BadDataError, match="Close"):
        await fetched(frame_of(["2024-01-02"], [10.0], [0.0], [0.0]).drop(columns="Close"))


def test_the_library_is_not_imported_before_it_is_used() -> None:
    script = (
        "import sys, backend.ingest.sources.yahoo, backend.ingest.sources.tiingo\n"
        "backend.ingest.sources.yahoo.YahooSource()\n"
        "print([name for name in ('pandas', 'yfinance') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"


def recorded(folder: Path, name: str) -> pd.DataFrame:
    """A recorded response of Yahoo's chart API, parsed by the library's own functions."""
    result = json.loads((folder / "fixtures" / "yahoo_chart" / name).read_text())["response"]["bodyJson"]["chart"][
        "result"
    ][0]
    zone = result["meta"]["exchangeTimezoneName"]
    quotes = utils.set_df_tz(utils.parse_quotes(result), "1d", zone)
    dividends, splits, _ = utils.parse_actions(result)
    for actions, column in ((dividends, "Dividends"), (splits, "Stock Splits")):
        quotes[column] = 0.0
        if actions is not None and not actions.empty:
            days = pd.DatetimeIndex(utils.set_df_tz(actions, "1d", zone).index).normalize()
            quotes.loc[quotes.index.normalize().isin(days), column] = actions[column].to_numpy()
    return pd.DataFrame(quotes)


@pytest.mark.shared_data
@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # raised inside the library
async def test_recorded_apple_has_its_split_of_2020(shared_data: Path) -> None:
    bars, actions = await fetched(recorded(shared_data, "chart-AAPL-2020-08-31-to-2020-11-07.json"))
    # The split of 2020-08-31 was 4:1; that day closed at 129.04, which needs no undoing.
    assert ("split", 4.0) in [(row["kind"], row["value"]) for row in actions]
    assert [row["close"] for row in bars if row["date"] == dt.date(2020, 8, 31)] == [129.04]


@pytest.mark.parametrize(
    ("sent", "stored"),
    # 32-bit floats of prices that never were divided: their seven digits stay, however small they are.
    [(1.1220825910568237, 1.122083), (8.445e-06, 8.445e-06), (118.69000244140625, 118.69), (715910.5, 715910.5)],
)
async def test_prices_keep_the_seven_digits_that_yahoo_sends(sent: float, stored: float) -> None:
    bars, _ = await fetched(frame_of(["2024-01-02"], [sent], [0.0], [0.0]))
    assert bars[0]["close"] == pytest.approx(stored, rel=1e-15)


async def test_a_price_of_before_many_splits_is_the_one_that_was_quoted() -> None:
    # Apple closed its first day, 1980-12-12, at 28 3/4; five splits later (2, 2, 2, 7 and 4 to 1) Yahoo divides by 224
    # and sends six decimals of 0.12834821 as a 32-bit float.
    days = ["1980-12-12", "1987-06-16", "2000-06-21", "2005-02-28", "2014-06-09", "2020-08-31"]
    sent = [float(np.float32(0.128348)), 1.0, 1.0, 1.0, 1.0, 1.0]
    bars, _ = await fetched(frame_of(days, sent, [0.0, 2.0, 2.0, 2.0, 7.0, 4.0], [0.0] * 6))
    assert bars[0]["close"] == 28.75


async def test_an_empty_frame_for_a_delta_request_is_an_empty_table() -> None:
    assert await fetched(pd.DataFrame(), FetchRequest(ticker="X", start=dt.date(2020, 1, 1), end=None)) == ([], [])


async def test_rows_out_of_order_are_put_in_order_before_splits_are_undone() -> None:
    bars, _ = await fetched(frame_of(["2024-01-03", "2024-01-02"], [10.0, 11.0], [2.0, 0.0], [0.0, 0.0]))
    # The split of the 3rd doubles the close of the 2nd.
    assert [(row["date"].day, row["close"]) for row in bars] == [(2, 22.0), (3, 10.0)]


async def test_it_lists_no_tickers() -> None:
    assert tuple(await YahooSource().tickers()) == ()
