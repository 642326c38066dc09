"""Yahoo through the real yfinance library, whose session leads to a server of the test: no network."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yfinance
from curl_cffi import CurlOpt
from curl_cffi.requests import Response, Session

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
from backend.ingest.sources.yahoo import YahooSource, yfinance_history
from support.local_server import served

Answer = Callable[[BaseHTTPRequestHandler], None]


class LocalSession(Session[Response]):
    """A session as the library takes one, whose every request goes to the server of the test."""

    def __init__(self, url: str) -> None:
        super().__init__(curl_options={CurlOpt.NOPROXY: b"*"})
        self._url = url

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Response:  # Any: those of the base class
        return super().request(method, self._url + urlsplit(url).path, *args, **kwargs)


def body(text: str | bytes, *, status: int = 200, missing_bytes: int = 0) -> Answer:
    """Answer with this body, of which the last bytes may stay away."""
    content = text if isinstance(text, bytes) else text.encode()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content) + missing_bytes))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@contextmanager
def yahoo_answering(prices: Answer, *, time_zone: Answer | None = None) -> Iterator[str]:
    """A server with Yahoo's chart API (the library asks for the time zone first) and nothing else; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_for_time_zone = "range=1d" in self.path
            is_chart = self.path.startswith("/v8/finance/chart/")
            answer = (time_zone or body(EXCHANGE)) if is_for_time_zone else prices
            (answer if is_chart else body("", status=404))(self)

        def log_message(self, *args: object) -> None:
            """Write nothing to standard error."""

    with served(Handler) as url:
        yield url


#: What the library needs of an answer to learn the time zone of an exchange; written by hand.
EXCHANGE = json.dumps({"chart": {"result": [{"meta": {"exchangeTimezoneName": "America/New_York"}}], "error": None}})


def refusal(description: str) -> str:
    """An error in the shape of Yahoo's chart API."""
    return json.dumps({"chart": {"result": None, "error": {"code": "Not Found", "description": description}}})


@pytest.fixture(scope="module", autouse=True)
def library_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the library's files out of the user's cache."""
    yfinance.set_tz_cache_location(str(tmp_path_factory.mktemp("yfinance")))


async def library_fetched(url: str, request: FetchRequest, *, timeout_s: float = 10.0) -> Fetched:
    with LocalSession(url) as session:
        return await YahooSource(history=yfinance_history(timeout_s, session=session)).fetch(request)


def chart(folder: Path, name: str) -> dict[str, Any]:  # Any: Yahoo's JSON
    recording: dict[str, Any] = json.loads((folder / "fixtures" / "yahoo_chart" / name).read_text())
    answer: dict[str, Any] = recording["response"]["bodyJson"]
    return answer


def whole(ticker: str) -> FetchRequest:
    return FetchRequest(ticker=ticker, start=None, end=None)


def since_2020(ticker: str) -> FetchRequest:
    return FetchRequest(ticker=ticker, start=dt.date(2020, 1, 1), end=None)


LIBRARY_WARNS = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # raised inside the library
APPLE = "chart-AAPL-2020-08-31-to-2020-11-07.json"
NVIDIA = "historical-via-chart-NVDA-split-2021-02-01-to-2022-01-31.csv.json"
MICROSOFT = "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv.json"


@LIBRARY_WARNS
@pytest.mark.shared_data
async def test_the_library_gives_apple_as_traded_from_its_split_on(shared_data: Path) -> None:
    with yahoo_answering(body(json.dumps(chart(shared_data, APPLE)))) as url:
        found = await library_fetched(url, whole("AAPL"))
    first, last = found.bars.to_pylist()[0], found.bars.to_pylist()[-1]
    # As the exchange published them; the split of the first day is in its own prices.
    assert (first["date"], last["date"], found.bars.num_rows) == (dt.date(2020, 8, 31), dt.date(2020, 11, 6), 49)
    assert [first[name] for name in ("open", "high", "low", "close")] == [127.58, 131.0, 126.0, 129.04]
    assert (first["volume"], last["close"]) == (225702700.0, 118.69)
    assert first["adjusted_close"] == 125.82673645019531
    assert found.actions.to_pylist() == [
        {"ticker": "AAPL", "ex_date": dt.date(2020, 8, 31), "kind": "split", "value": 4.0},
        {"ticker": "AAPL", "ex_date": dt.date(2020, 11, 6), "kind": "dividend", "value": 0.205},
    ]


@LIBRARY_WARNS
@pytest.mark.shared_data
@pytest.mark.parametrize("start", [None, dt.date(2021, 7, 19)])
async def test_the_library_gives_nvidia_as_traded_on_both_sides_of_its_split(
    shared_data: Path, start: dt.date | None
) -> None:
    recording = chart(shared_data, NVIDIA)
    # The recording ends in 2022, but was made in 2025, after the 10:1 split of 2024-06-10. Asked through today, as we
    # ask, Yahoo lists that split as well; the entry is written here (13:30 UTC of that day).
    splits = recording["chart"]["result"][0]["events"]["splits"]
    splits["1718026200"] = {"date": 1718026200, "numerator": 10, "denominator": 1, "splitRatio": "10:1"}
    with yahoo_answering(body(json.dumps(recording))) as url:
        found = await library_fetched(url, FetchRequest(ticker="NVDA", start=start, end=dt.date(2021, 7, 20)))
    before, after = found.bars.to_pylist()[-2:]
    # 18.77975 x 4 x 10 and 18.612 x 10: the closes that were published on those days; volumes / 40 and / 10.
    assert (before["date"], before["close"], before["volume"]) == (dt.date(2021, 7, 19), 751.19, 18726500.0)
    assert (after["date"], after["close"], after["volume"]) == (dt.date(2021, 7, 20), 186.12, 43468700.0)
    assert (before["open"], before["low"]) == (716.61, 714.62)
    assert found.actions.to_pylist() == [
        {"ticker": "NVDA", "ex_date": dt.date(2021, 7, 20), "kind": "split", "value": 4.0}
    ]


@LIBRARY_WARNS
@pytest.mark.shared_data
async def test_the_library_gives_the_dividends_of_microsoft(shared_data: Path) -> None:
    with yahoo_answering(body(json.dumps(chart(shared_data, MICROSOFT)))) as url:
        found = await library_fetched(url, whole("MSFT"))
    # As Microsoft paid them: three quarters of $0.56, then $0.62.
    assert [(row["ex_date"], row["value"]) for row in found.actions.to_pylist()] == [
        (dt.date(2021, 2, 17), 0.56),
        (dt.date(2021, 5, 19), 0.56),
        (dt.date(2021, 8, 18), 0.56),
        (dt.date(2021, 11, 17), 0.62),
    ]
    closes = dict(zip(found.bars["date"].to_pylist(), found.bars["close"].to_pylist(), strict=True))
    assert (len(closes), closes[dt.date(2021, 2, 17)]) == (252, 244.2)


@LIBRARY_WARNS
@pytest.mark.shared_data
async def test_the_session_of_a_european_bar_is_the_date_in_its_city(shared_data: Path) -> None:
    recording = json.dumps(chart(shared_data, "chart-WSU.DE-2023-08-04-to-2023-08-09.json"))
    with yahoo_answering(body(recording), time_zone=body(recording)) as url:
        found = await library_fetched(url, whole("WSU.DE"))
    assert found.bars["ticker"].to_pylist() == ["WSU.DE"] * 3
    assert found.bars["date"].to_pylist() == [dt.date(2023, 8, 4), dt.date(2023, 8, 7), dt.date(2023, 8, 8)]
    assert found.bars["close"].to_pylist() == [34.45, 34.0, 33.2]


@LIBRARY_WARNS
@pytest.mark.shared_data
async def test_an_answer_about_another_ticker_is_bad_data(shared_data: Path) -> None:
    answer = body(json.dumps(chart(shared_data, APPLE)))
    with yahoo_answering(answer) as url, pytest.raises(BadDataError, match="about AAPL"):
        await library_fetched(url, whole("OTHER"))


@pytest.mark.shared_data
async def test_a_recorded_answer_without_timestamps_is_bad_data(shared_data: Path) -> None:
    recording = json.dumps(chart(shared_data, "chart-notimestamp-quotes-length.fake.json"))
    with yahoo_answering(body(recording)) as url, pytest.raises(BadDataError, match="timestamp"):
        await library_fetched(url, whole("AAPL"))


@pytest.mark.shared_data
async def test_a_recorded_answer_without_quotes_is_nothing_new_for_a_delta_request(shared_data: Path) -> None:
    name = "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m.json"
    with yahoo_answering(body(json.dumps(chart(shared_data, name)))) as url:
        found = await library_fetched(url, since_2020("AAPL"))
    assert found.bars == BAR_SCHEMA.empty_table()


@pytest.mark.parametrize(
    ("ticker", "prices", "expected"),
    [
        ("LIMITED", body("Edge: Too Many Requests", status=429), RateLimitError),
        ("PAGE", body("<html>Bad Gateway</html>", status=502), NetworkError),
        ("DOWN", body("<html>Will be right back</html>"), NetworkError),
        ("INTERNAL", body(refusal("Internal Server Error"), status=500), NetworkError),
        ("STATUS", body('{"status_code": 503}'), NetworkError),
        ("CUT", body('{"chart": {', missing_bytes=99), NetworkError),
        ("GONE", body(refusal("No data found, symbol may be delisted"), status=404), DelistedError),
        ("LIST", body("[]"), BadDataError),
        ("EMPTY", body('{"chart": {"result": null, "error": null}}'), BadDataError),
    ],
)
@pytest.mark.parametrize("request_of", [whole, since_2020])
async def test_a_failure_seen_by_the_library_is_never_an_empty_success(
    ticker: str, prices: Answer, expected: type[SourceError], request_of: Callable[[str], FetchRequest]
) -> None:
    with yahoo_answering(prices) as url, pytest.raises(SourceError) as caught:
        await library_fetched(url, request_of(ticker))
    assert type(caught.value) is expected


@pytest.mark.parametrize("attempt", range(3))
async def test_a_ticker_that_yahoo_does_not_know_is_not_found(attempt: int) -> None:
    # The first two times in a process the library also looks elsewhere, and fails there in another way.
    unknown = body(refusal("No data found, symbol may be delisted"), status=404)
    with yahoo_answering(unknown, time_zone=unknown) as url, pytest.raises(TickerNotFoundError):
        await library_fetched(url, whole(f"UNKNOWN{attempt}"))


async def test_a_yahoo_that_does_not_answer_in_time_is_a_timeout() -> None:
    released = threading.Event()

    def silent(_handler: BaseHTTPRequestHandler) -> None:
        released.wait()

    with yahoo_answering(silent) as url:
        with pytest.raises(SourceTimeoutError):
            await library_fetched(url, whole("SLOW"), timeout_s=0.1)
        released.set()


async def test_a_refused_connection_is_a_network_error() -> None:
    with yahoo_answering(body("")) as url:
        pass
    with pytest.raises(NetworkError):
        await library_fetched(url, whole("REFUSED"))
