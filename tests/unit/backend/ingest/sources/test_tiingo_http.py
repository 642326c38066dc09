"""Tiingo through HTTP: all recorded exchanges, and every failure, from a server of the test."""

from __future__ import annotations

import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from backend.ingest.errors import (
    BadDataError,
    NetworkError,
    RateLimitError,
    SourceError,
    SourceTimeoutError,
    TickerNotFoundError,
)
from backend.ingest.sources.contract import Fetched, FetchRequest
from backend.ingest.sources.tiingo import TiingoSource
from support.vendors import Play, body, document, local_vendor, silence, tiingo_exchanges, too_many_requests

#: A week after the newest session of the recordings of January 2018.
NOW = dt.datetime(2018, 1, 26, tzinfo=dt.UTC)
GOOGLE = "/tiingo/daily/GOOGL"
JANUARY = FetchRequest(ticker="GOOGL", start=dt.date(2018, 1, 5), end=dt.date(2018, 1, 19))


async def asked(url: str, request: FetchRequest, *, now: dt.datetime = NOW, timeout_s: float = 10.0) -> Fetched:
    source = TiingoSource("not-a-key", base_url=url, timeout_s=timeout_s, clock=lambda: now)
    try:
        return await source.fetch(request)
    finally:
        await source.close()


async def played(play: Play, request: FetchRequest = JANUARY) -> Fetched:
    with local_vendor({f"/tiingo/daily/{request.ticker}/prices": play}) as (url, _):
        return await asked(url, request)


def one(shared_data: Path, name: str) -> Play:
    ((_, play),) = tiingo_exchanges(shared_data, name)
    return play


@pytest.mark.shared_data
async def test_the_recorded_days_of_google_are_those_of_the_json(shared_data: Path) -> None:
    found = await played(one(shared_data, "ticker_price_pandas_daily_metric_name"))
    closes = dict(zip(found.bars["date"].to_pylist(), found.bars["close"].to_pylist(), strict=True))
    # Read off the recording: GOOGL closed at 1110.29 and 1114.21 on these two days, and never on a weekend.
    assert (closes[dt.date(2018, 1, 5)], closes[dt.date(2018, 1, 8)], len(closes)) == (1110.29, 1114.21, 10)
    assert found.actions.num_rows == 0


@pytest.mark.shared_data
async def test_json_and_csv_of_the_same_days_are_the_same_bars(shared_data: Path) -> None:
    name = "ticker_price_pandas_daily_equivalent_requesting_json_or_csv"
    (_, as_json), (_, as_csv) = tiingo_exchanges(shared_data, name)
    assert (await played(as_json)).bars == (await played(as_csv)).bars


async def outcome_of(path: str, play: Play) -> int | type[SourceError]:
    """Bars that a recorded answer gives, or the class of its error."""
    ticker = "AAPL" if "AAPL" in path else "GOOGL"
    try:
        found = await played(play, FetchRequest(ticker=ticker, start=dt.date(2015, 1, 1), end=None))
    except SourceError as error:
        return type(error)
    return len(found.bars["date"])


@pytest.mark.shared_data
async def test_every_recording_gives_bars_or_an_error_by_name(shared_data: Path) -> None:
    names = [path.stem for path in (shared_data / "fixtures" / "tiingo").glob("*.yaml")]
    found = {
        f"{name}{number or ''}": await outcome_of(url, play)
        for name in names
        for number, (url, play) in enumerate(tiingo_exchanges(shared_data, name))
    }
    assert found == {
        "invalid_url": TickerNotFoundError,
        # What is no list of prices: a description of a ticker, a redirection, a page in gzip, rows without prices.
        "ticker_metadata": BadDataError,
        "valid_url": BadDataError,
        "valid_url1": BadDataError,
        "ticker_price_with_multiple_columns": BadDataError,
        "ticker_price_with_volume_column": BadDataError,
        "ticker_price": 1,
        "ticker_price_pandas_single": 1,
        "ticker_price_with_date": 2,
        "ticker_price_with_date_csv": 2,
        "ticker_price_pandas_daily_csv": 10,
        "ticker_price_pandas_daily_metric_name": 10,
        "ticker_price_pandas_daily_metric_name_csv": 10,
        "ticker_price_pandas_daily_equivalent_requesting_json_or_csv": 10,
        "ticker_price_pandas_daily_equivalent_requesting_json_or_csv1": 10,
        "ticker_price_weekly": 3,
        "ticker_price_pandas_weekly": 3,
        "ticker_price_pandas_weekly_multiple_tickers": 3,
        "ticker_price_pandas_weekly_multiple_tickers1": 3,
        "ticker_price_pandas_weekly_multiple_tickers_csv": 3,
        "ticker_price_pandas_weekly_multiple_tickers_csv1": 3,
    }


@pytest.mark.shared_data
async def test_the_recorded_description_of_google_says_when_it_began_and_seems_to_have_ended(
    shared_data: Path,
) -> None:
    plays = {GOOGLE: one(shared_data, "ticker_metadata"), f"{GOOGLE}/prices": one(shared_data, "ticker_price")}
    with local_vendor(plays) as (url, vendor):
        request = FetchRequest(ticker="GOOGL", start=None, end=None)
        found = await asked(url, request)
        recent = await asked(url, request, now=dt.datetime(2017, 10, 9, tzinfo=dt.UTC))
    # Google went public on 2004-08-19. The recording ends on 2017-10-06, when it was made: alive then, silent since.
    assert found.metadata == recent.metadata == {"first_trade_date": "2004-08-19"}
    assert [(row["ex_date"], row["kind"], row["value"]) for row in found.actions.to_pylist()] == [
        (dt.date(2017, 10, 7), "delisting", 0.0)
    ]
    assert recent.actions.num_rows == 0
    assert [path for path, _ in vendor.requests] == [f"{GOOGLE}/prices", GOOGLE] * 2


ROW: dict[str, Any] = {"date": "2018-01-19T00:00:00.000Z", "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0}


@pytest.mark.parametrize(
    ("play", "expected"),
    [
        (too_many_requests(), RateLimitError),
        (body("Internal Server Error", status=500), NetworkError),
        (body("<html>Bad Gateway</html>", status=502), NetworkError),
        (body("<html>maintenance</html>"), NetworkError),
        (body(json.dumps([ROW])[:-20], missing_bytes=20), NetworkError),
        (body(json.dumps([ROW])[:-20]), BadDataError),
        (body(""), BadDataError),
        (document([ROW]), BadDataError),
        (document({"detail": "Not found."}, status=404), TickerNotFoundError),
    ],
)
async def test_a_failure_is_never_an_empty_success(play: Play, expected: type[SourceError]) -> None:
    with pytest.raises(SourceError) as caught:
        await played(play)
    assert type(caught.value) is expected


async def test_a_rate_limit_says_how_long_to_wait() -> None:
    with pytest.raises(RateLimitError) as caught:
        await played(too_many_requests("37"))
    assert caught.value.retry_after_s == 37.0


async def test_a_vendor_that_does_not_answer_in_time_is_a_timeout() -> None:
    released = threading.Event()
    with local_vendor({f"{GOOGLE}/prices": silence(released)}) as (url, _):
        with pytest.raises(SourceTimeoutError):
            await asked(url, JANUARY, timeout_s=0.1)
        released.set()
