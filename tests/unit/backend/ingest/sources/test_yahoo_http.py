"""Yahoo through HTTP: all recorded answers, and every failure, from a server of the test."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backend.ingest.errors import (
    BadDataError,
    DelistedError,
    NetworkError,
    RateLimitError,
    SourceError,
    SourceTimeoutError,
    TickerNotFoundError,
)
from backend.ingest.sources.contract import BAR_SCHEMA, Fetched, FetchRequest
from backend.ingest.sources.yahoo import YahooSource
from support.vendors import (
    YAHOO_PATH,
    Play,
    body,
    document,
    local_vendor,
    silence,
    too_many_requests,
    yahoo_chart,
    yahoo_recordings,
)

NOW = dt.datetime(2026, 11, 25, 2, 0, tzinfo=dt.UTC)
APPLE = "chart-AAPL-2020-08-31-to-2020-11-07.json"
NVIDIA = "historical-via-chart-NVDA-split-2021-02-01-to-2022-01-31.csv.json"
MICROSOFT = "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv.json"
OCADO = "chart-OCDO.L-2020-01-01-to-2020-01-03.json"


def whole(ticker: str) -> FetchRequest:
    return FetchRequest(ticker=ticker, start=None, end=None)


def since_2020(ticker: str) -> FetchRequest:
    return FetchRequest(ticker=ticker, start=dt.date(2020, 1, 1), end=None)


async def asked(url: str, request: FetchRequest, *, timeout_s: float = 10.0) -> Fetched:
    source = YahooSource(base_url=url, timeout_s=timeout_s, clock=lambda: NOW)
    try:
        return await source.fetch(request)
    finally:
        await source.close()


async def played(play: Play, request: FetchRequest, **options: float) -> Fetched:
    with local_vendor({YAHOO_PATH + request.ticker: play}) as (url, _):
        return await asked(url, request, **options)


def refused(description: str, *, status: int) -> Play:
    """An error in the shape of Yahoo's chart API."""
    return document({"chart": {"result": None, "error": {"code": "-", "description": description}}}, status=status)


def result_of(chart: dict[str, Any]) -> dict[str, Any]:  # Any: Yahoo's JSON
    result: dict[str, Any] = chart["chart"]["result"][0]
    return result


def seven_digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.7g}")


def expected_of(name: str, result: dict[str, Any]) -> dict[str, list[Any]]:  # Any: Yahoo's JSON
    """Columns that an answer stands for, row by row in plain Python."""
    quotes, zone = result["indicators"]["quote"][0], ZoneInfo(result["meta"]["exchangeTimezoneName"])
    dates = [dt.datetime.fromtimestamp(stamp, zone).date() for stamp in result["timestamp"]]
    # Nvidia alone has a split after its first bar: 4:1 on 2021-07-20.
    factors = [4 if name == NVIDIA and date < dt.date(2021, 7, 20) else 1 for date in dates]
    columns = {"date": dates, "adjusted_close": result["indicators"]["adjclose"][0]["adjclose"]}
    columns["volume"] = [round(value / factor) for value, factor in zip(quotes["volume"], factors, strict=True)]
    for column in ("open", "high", "low", "close"):
        sent = zip(quotes[column], factors, strict=True)
        columns[column] = [seven_digits(value) if factor == 1 else round(value * factor, 4) for value, factor in sent]
    return columns


@pytest.mark.shared_data
async def test_every_recorded_answer_gives_what_its_json_says_or_an_error_by_name(shared_data: Path) -> None:
    names = yahoo_recordings(shared_data)
    failed = {}
    for name in names:
        chart = yahoo_chart(shared_data, name)
        result = result_of(chart)
        try:
            found = (await played(document(chart), whole(result["meta"]["symbol"]))).bars
        except SourceError as error:
            failed[name] = type(error)
        else:
            expected = expected_of(name, result)
            assert {column: found[column].to_pylist() for column in expected} == expected, name
    assert len(names) == 47
    # Quotes without timestamps, and neither of the two.
    assert failed == {
        "chart-notimestamp-quotes-length.fake.json": BadDataError,
        "chart-notimestamp-weird-quote.fake.json": BadDataError,
        "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m.json": DelistedError,
        "chart-TSLA-2025-01-01-to-2025-01-02-interval-1h.fake.json": DelistedError,
    }


@pytest.mark.shared_data
async def test_apple_is_as_traded_from_its_split_on(shared_data: Path) -> None:
    found = await played(document(yahoo_chart(shared_data, APPLE)), whole("AAPL"))
    first, last = found.bars.to_pylist()[0], found.bars.to_pylist()[-1]
    # As the exchange published them; the split of the first day is in its own prices.
    assert (first["date"], last["date"], found.bars.num_rows) == (dt.date(2020, 8, 31), dt.date(2020, 11, 6), 49)
    assert [first[name] for name in ("open", "high", "low", "close")] == [127.58, 131.0, 126.0, 129.04]
    assert (first["volume"], last["close"]) == (225702700.0, 118.69)
    assert first["adjusted_close"] == 125.82673645019531
    assert [(row["ex_date"], row["kind"], row["value"]) for row in found.actions.to_pylist()] == [
        (dt.date(2020, 8, 31), "split", 4.0),
        (dt.date(2020, 11, 6), "dividend", 0.205),
    ]
    assert found.metadata == {
        "currency": "USD",
        "timezone": "America/New_York",
        "instrument": "EQUITY",
        # Apple's first day at NASDAQ.
        "first_trade_date": "1980-12-12",
    }


@pytest.mark.shared_data
@pytest.mark.parametrize("start", [None, dt.date(2021, 7, 19)])
async def test_nvidia_is_as_traded_on_both_sides_of_its_split(shared_data: Path, start: dt.date | None) -> None:
    recording = yahoo_chart(shared_data, NVIDIA)
    # The recording ends in 2022, but was made in 2025, after the 10:1 split of 2024-06-10. Asked through today, as we
    # ask, Yahoo lists that split as well; the entry is written here (13:30 UTC of that day).
    splits = result_of(recording)["events"]["splits"]
    splits["1718026200"] = {"date": 1718026200, "numerator": 10, "denominator": 1, "splitRatio": "10:1"}
    request = FetchRequest(ticker="NVDA", start=start, end=dt.date(2021, 7, 20))
    found = await played(document(recording), request)
    before, after = found.bars.to_pylist()[-2:]
    # 18.77975 x 4 x 10 and 18.612 x 10: the closes that were published on those days; volumes / 40 and / 10.
    assert (before["date"], before["close"], before["volume"]) == (dt.date(2021, 7, 19), 751.19, 18726500.0)
    assert (after["date"], after["close"], after["volume"]) == (dt.date(2021, 7, 20), 186.12, 43468700.0)
    assert (before["open"], before["low"]) == (716.61, 714.62)
    assert [(row["ex_date"], row["kind"], row["value"]) for row in found.actions.to_pylist()] == [
        (dt.date(2021, 7, 20), "split", 4.0)
    ]


@pytest.mark.shared_data
async def test_the_dividends_of_microsoft_are_those_it_paid(shared_data: Path) -> None:
    found = await played(document(yahoo_chart(shared_data, MICROSOFT)), whole("MSFT"))
    # As Microsoft paid them: three quarters of $0.56, then $0.62.
    assert [(row["ex_date"], row["kind"], row["value"]) for row in found.actions.to_pylist()] == [
        (dt.date(2021, 2, 17), "dividend", 0.56),
        (dt.date(2021, 5, 19), "dividend", 0.56),
        (dt.date(2021, 8, 18), "dividend", 0.56),
        (dt.date(2021, 11, 17), "dividend", 0.62),
    ]
    closes = dict(zip(found.bars["date"].to_pylist(), found.bars["close"].to_pylist(), strict=True))
    assert (len(closes), closes[dt.date(2021, 2, 17)]) == (252, 244.2)


@pytest.mark.shared_data
async def test_a_price_in_pence_stays_in_pence_and_says_so(shared_data: Path) -> None:
    found = await played(document(yahoo_chart(shared_data, OCADO)), whole("OCDO.L"))
    assert [found.bars[name].to_pylist() for name in ("date", "close", "low")] == [
        [dt.date(2020, 1, 2)],
        [1259.5],
        [1258.0],
    ]
    assert (found.metadata["currency"], found.metadata["timezone"]) == ("GBp", "Europe/London")


@pytest.mark.shared_data
async def test_a_fund_and_an_exchange_rate_say_what_they_are(shared_data: Path) -> None:
    for name, symbol, kind in (
        ("chart-0P000071W8.TO-2020-01-01-to-2020-01-03.json", "0P000071W8.TO", "MUTUALFUND"),
        ("chart-EURUSD=X-2020-01-01-to-2020-01-03.json", "EURUSD=X", "CURRENCY"),
    ):
        found = await played(document(yahoo_chart(shared_data, name)), whole(symbol))
        assert found.metadata["instrument"] == kind


@pytest.mark.shared_data
async def test_an_answer_about_another_ticker_is_bad_data(shared_data: Path) -> None:
    with pytest.raises(BadDataError, match="about AAPL"):
        await played(document(yahoo_chart(shared_data, APPLE)), whole("OTHER"))


@pytest.mark.shared_data
async def test_a_recorded_answer_without_timestamps_is_bad_data(shared_data: Path) -> None:
    with pytest.raises(BadDataError, match="0 timestamps"):
        await played(document(yahoo_chart(shared_data, "chart-notimestamp-quotes-length.fake.json")), whole("AAPL"))


@pytest.mark.shared_data
async def test_a_recorded_answer_without_quotes_is_nothing_new_for_a_delta_request(shared_data: Path) -> None:
    name = "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m.json"
    found = await played(document(yahoo_chart(shared_data, name)), since_2020("AAPL"))
    assert found.bars == BAR_SCHEMA.empty_table()


@pytest.mark.shared_data
async def test_bars_of_another_length_than_a_day_are_bad_data(shared_data: Path) -> None:
    chart = yahoo_chart(shared_data, APPLE)
    result_of(chart)["meta"]["dataGranularity"] = "1mo"
    with pytest.raises(BadDataError, match="1mo instead of 1d"):
        await played(document(chart), whole("AAPL"))


@pytest.mark.parametrize(
    ("play", "expected"),
    [
        (too_many_requests(), RateLimitError),
        (body("<html>Bad Gateway</html>", status=502), NetworkError),
        (body("<html>Will be right back</html>"), NetworkError),
        (refused("Internal Server Error", status=500), NetworkError),
        (refused("Internal Server Error", status=200), NetworkError),
        (body('{"chart": {', missing_bytes=99), NetworkError),
        (body('{"chart": {'), BadDataError),
        (body(b"\xff\xfe"), BadDataError),
        (body("[]"), BadDataError),
        (body(""), BadDataError),
        (document({"chart": {"result": None, "error": None}}), BadDataError),
        (document({"chart": {"result": [{"meta": {"symbol": "X"}}], "error": None}}), BadDataError),
        (body("", status=302, Location="https://example.com"), BadDataError),
        (body("Unauthorized", status=401), BadDataError),
        (body("no such page", status=404), TickerNotFoundError),
    ],
)
@pytest.mark.parametrize("request_of", [whole, since_2020])
async def test_a_failure_is_never_an_empty_success(
    play: Play, expected: type[SourceError], request_of: Callable[[str], FetchRequest]
) -> None:
    with pytest.raises(SourceError) as caught:
        await played(play, request_of("X"))
    assert type(caught.value) is expected
    assert (caught.value.source, caught.value.ticker) == ("yahoo", "X")


async def test_a_rate_limit_says_how_long_to_wait() -> None:
    with pytest.raises(RateLimitError) as caught:
        await played(too_many_requests("37"), whole("X"))
    assert caught.value.retry_after_s == 37.0


@pytest.mark.parametrize(
    ("request_of", "expected"), [(whole, TickerNotFoundError), (since_2020, DelistedError)], ids=["new", "known"]
)
async def test_what_yahoo_does_not_know_is_delisted_only_if_it_knew_it(
    request_of: Callable[[str], FetchRequest], expected: type[SourceError]
) -> None:
    with pytest.raises(expected, match="may be delisted") as caught:
        await played(refused("No data found, symbol may be delisted", status=404), request_of("GONE"))
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    "reason",
    [
        "Data doesn't exist for startDate = 1, endDate = 2",
        "Invalid input - start date cannot be after end date. startDate = 2, endDate = 1",
    ],
)
async def test_a_delta_request_that_finds_nothing_new_is_no_failure(reason: str) -> None:
    found = await played(refused(reason, status=400), since_2020("X"))
    assert (found.bars.num_rows, found.actions.num_rows) == (0, 0)
    with pytest.raises(TickerNotFoundError, match=reason[:20]):
        await played(refused(reason, status=400), whole("X"))


async def test_a_yahoo_that_does_not_answer_in_time_is_a_timeout() -> None:
    released = threading.Event()
    with local_vendor({YAHOO_PATH + "SLOW": silence(released)}) as (url, _):
        with pytest.raises(SourceTimeoutError):
            await asked(url, whole("SLOW"), timeout_s=0.1)
        released.set()


async def test_a_refused_connection_is_a_network_error() -> None:
    with local_vendor({}) as (url, _):
        pass
    with pytest.raises(NetworkError):
        await asked(url, whole("REFUSED"))


@pytest.mark.parametrize("ticker", ["EURUSD=X", "^GSPC", "A/B", "BRK-B", "A?B", "A B"])
async def test_a_ticker_is_one_encoded_segment_of_the_path(ticker: str) -> None:
    with local_vendor({}) as (url, vendor), pytest.raises(TickerNotFoundError):
        await asked(url, whole(ticker))
    assert vendor.requests[0][0] == YAHOO_PATH + ticker


@pytest.mark.parametrize(
    ("start", "expected"),
    # A day before the first asked session, where Sydney's begins; 99 years back without one: Yahoo gives no more.
    [(dt.date(2024, 1, 2), dt.date(2024, 1, 1)), (None, dt.date(1927, 12, 20))],
)
async def test_a_request_reaches_to_the_present_whatever_its_end(start: dt.date | None, expected: dt.date) -> None:
    with local_vendor({}) as (url, vendor), pytest.raises(SourceError):
        await asked(url, FetchRequest(ticker="X", start=start, end=dt.date(2024, 1, 5)))
    query = vendor.requests[0][1]
    assert dt.datetime.fromtimestamp(int(query.pop("period1")), dt.UTC).date() == expected
    assert int(query.pop("period2")) == NOW.timestamp()
    assert query == {"interval": "1d", "events": "div,splits", "includePrePost": "false"}


async def test_connections_can_be_closed_twice_and_opened_again() -> None:
    with local_vendor({}) as (url, vendor):
        source = YahooSource(base_url=url)
        for _ in range(2):
            with pytest.raises(TickerNotFoundError):
                await source.fetch(whole("X"))
            await source.close()
            await source.close()
    assert len(vendor.requests) == 2
