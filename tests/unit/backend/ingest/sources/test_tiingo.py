"""Tiingo, replayed: recorded exchanges and answers in the documented shape, without a network."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from backend.ingest.errors import (
    BadDataError,
    NetworkError,
    RateLimitError,
    SourceError,
    SourceSettingsError,
    SourceTimeoutError,
    TickerNotFoundError,
)
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, FetchRequest, PriceSource
from backend.ingest.sources.tiingo import TiingoSource
from support.tiingo import KEY, SPAN, answering, fetched, row


async def sent(request: FetchRequest) -> httpx.Request:
    requests: list[httpx.Request] = []

    def handler(received: httpx.Request) -> httpx.Response:
        requests.append(received)
        return httpx.Response(200, json=[row("2020-08-28")])

    await fetched(handler, request)
    return requests[0]


@asynccontextmanager
async def server(respond: Callable[[asyncio.StreamWriter], Any]) -> AsyncIterator[str]:  # Any: an awaitable or None
    """A server on this machine that reads one request and then does what it is told; yields its URL."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await respond(writer)
        writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


def test_it_is_a_price_source() -> None:
    source: PriceSource = TiingoSource(KEY)
    assert source.name == "tiingo"


async def test_it_lists_no_tickers() -> None:
    assert tuple(await TiingoSource(KEY).tickers()) == ()


async def test_splits_and_dividends_come_beside_bars_as_traded() -> None:
    rows = [
        row("2020-08-28", close=11.5, adjClose=2.8, divCash=0.82),
        row("2020-08-31", splitFactor=4.0, divCash=0.205),
    ]
    answer = await fetched(answering(json=rows))
    assert answer.bars["close"].to_pylist() == [11.5, 11.0]
    assert answer.bars["adjusted_close"].to_pylist() == [2.8, 5.5]
    assert answer.actions.schema == ACTION_SCHEMA
    assert answer.actions.drop_columns(["new_symbol"]).to_pylist() == [
        {"ticker": "AAPL", "ex_date": date(2020, 8, 28), "kind": "dividend", "value": 0.82},
        {"ticker": "AAPL", "ex_date": date(2020, 8, 31), "kind": "split", "value": 4.0},
        {"ticker": "AAPL", "ex_date": date(2020, 8, 31), "kind": "dividend", "value": 0.205},
    ]


async def test_bars_are_sorted_by_date() -> None:
    answer = await fetched(answering(json=[row("2020-08-31"), row("2020-08-28")]))
    assert answer.bars["date"].to_pylist() == [date(2020, 8, 28), date(2020, 8, 31)]


async def test_a_missing_value_stays_missing() -> None:
    answer = await fetched(answering(json=[row("2020-08-28", open=None)]))
    assert answer.bars["open"].to_pylist() == [None]


async def test_the_key_goes_into_the_header() -> None:
    assert (await sent(SPAN)).headers["Authorization"] == f"Token {KEY}"


async def test_a_request_without_start_asks_for_the_whole_history() -> None:
    request = await sent(FetchRequest(ticker="AAPL", start=None, end=None))
    # Without a start the vendor gives the latest session only; its data begin in 1962.
    assert request.url.params["startDate"] == "1962-01-02"
    assert "endDate" not in request.url.params


@pytest.mark.parametrize(
    ("ticker", "segment"),
    [
        ("BRK-B", b"BRK-B"),
        ("BRK.B", b"BRK-B"),
        ("A/B", b"A%2FB"),
        ("^GSPC", b"%5EGSPC"),
        ("..", b"--"),
        ("A?", b"A%3F"),
    ],
)
async def test_a_ticker_is_one_encoded_segment_of_the_path(ticker: str, segment: bytes) -> None:
    request = await sent(FetchRequest(ticker=ticker, start=SPAN.start, end=SPAN.end))
    assert request.url.raw_path.split(b"?")[0] == b"/tiingo/daily/" + segment + b"/prices"


async def test_bars_carry_the_ticker_as_it_was_asked_for() -> None:
    answer = await fetched(answering(json=[row("2020-08-28")]), FetchRequest(ticker="BRK.B", start=None, end=None))
    assert answer.bars["ticker"].to_pylist() == ["BRK.B"]


async def test_an_empty_list_for_a_span_is_an_empty_table() -> None:
    answer = await fetched(answering(json=[]))
    assert answer.bars == BAR_SCHEMA.empty_table()
    assert answer.actions == ACTION_SCHEMA.empty_table()


async def test_an_empty_list_for_the_whole_history_is_an_unknown_ticker() -> None:
    with pytest.raises(TickerNotFoundError, match="no bar at all"):
        await fetched(answering(json=[]), FetchRequest(ticker="AAPL", start=None, end=None))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, TickerNotFoundError), (500, NetworkError), (503, NetworkError), (400, BadDataError), (302, BadDataError)],
)
async def test_a_status_becomes_its_error(status: int, kind: type[SourceError]) -> None:
    with pytest.raises(kind) as caught:
        await fetched(answering(status, json={"detail": "no"}))
    assert type(caught.value) is kind
    assert (caught.value.source, caught.value.ticker) == ("tiingo", "AAPL")


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_a_wrong_setting_whose_value_is_not_shown(status: int) -> None:
    with pytest.raises(SourceSettingsError, match="TIINGO_API_KEY") as caught:
        await fetched(answering(status, json={"detail": f"Invalid token {KEY}"}))
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("header", "expected_s"),
    [({"Retry-After": "37"}, 37.0), ({}, None), ({"Retry-After": "soon"}, None), ({"Retry-After": "-5"}, None)],
)
async def test_a_rate_limit_says_how_long_the_vendor_asks_to_wait(
    header: dict[str, str], expected_s: float | None
) -> None:
    with pytest.raises(RateLimitError) as caught:
        await fetched(answering(429, headers=header))
    assert caught.value.retry_after_s == expected_s


async def test_a_retry_after_may_be_an_http_date() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    with pytest.raises(RateLimitError) as caught:
        await fetched(answering(429, headers={"Retry-After": moment}))
    assert caught.value.retry_after_s == pytest.approx(600, abs=30)


async def test_a_retry_after_in_the_past_asks_for_no_wait() -> None:
    with pytest.raises(RateLimitError) as caught:
        await fetched(answering(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    assert caught.value.retry_after_s == 0.0


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "You have run over"},
        {"text": json.dumps([row("2020-08-28")])[:-9]},
        {"content": b"\xff\xfe"},
        {"json": {"detail": "Error"}},
        {"json": ["close", "open"]},
        {"json": None},
        {"json": [{"date": "2020-08-28T00:00:00.000Z", "close": 1.0}]},
        {"json": [row("2020-08-28"), {"date": "2020-08-31T00:00:00.000Z"}]},
        {"json": [row("yesterday")]},
        {"json": [row("2020-08-28", date=None)]},
        {"json": [row("2020-08-28", close="eleven")]},
        {"json": [row("2020-08-28", close=[11.0])]},
    ],
    ids=str,
)
async def test_an_answer_that_cannot_be_understood_is_bad_data(answer: dict[str, Any]) -> None:  # Any: see answering
    with pytest.raises(BadDataError):
        await fetched(answering(**answer))


async def test_a_vendor_that_does_not_answer_in_time_is_a_timeout() -> None:
    released = asyncio.Event()

    async def silent(writer: asyncio.StreamWriter) -> None:
        await released.wait()

    async with server(silent) as url:
        source = TiingoSource(KEY, base_url=url, timeout_s=0.05)
        with pytest.raises(SourceTimeoutError):
            # Far below the default of the HTTP library, so that it is ours that ends the wait.
            await asyncio.wait_for(source.fetch(SPAN), timeout=2.0)
        released.set()
        await source.close()


async def test_an_answer_that_breaks_off_is_a_network_error() -> None:
    async def breaking_off(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n[{")
        await writer.drain()

    async with server(breaking_off) as url:
        source = TiingoSource(KEY, base_url=url)
        with pytest.raises(NetworkError):
            await source.fetch(SPAN)
        await source.close()


async def test_a_refused_connection_is_a_network_error() -> None:
    async with server(lambda _writer: asyncio.sleep(0)) as url:
        pass
    source = TiingoSource(KEY, base_url=url)
    with pytest.raises(NetworkError):
        await source.fetch(SPAN)
    await source.close()


@pytest.mark.parametrize("key", ["", "ab cd", "abcd\n", "\tabcd", "abcdé"])
def test_a_key_that_is_missing_or_cannot_be_sent_is_refused_at_once_and_not_shown(key: str) -> None:
    with pytest.raises(SourceSettingsError) as caught:
        TiingoSource(key)
    assert caught.value.field == "TIINGO_API_KEY"
    assert "cd" not in str(caught.value)


async def test_the_key_is_in_no_repr_log_or_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def breaking_off(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")
        await writer.drain()

    caplog.set_level(logging.DEBUG)
    async with server(breaking_off) as url:
        source = TiingoSource(KEY, base_url=url)
        with pytest.raises(NetworkError) as caught:
            await source.fetch(SPAN)
        await source.close()
    assert "/tiingo/daily/AAPL/prices" in caplog.text, (
        "the HTTP library logs, so the absence of the key means something"
    )
    shown = [caplog.text, repr(source), str(source), *traceback.format_exception(caught.value), repr(caught.value)]
    assert KEY not in "".join(shown)


async def test_a_client_that_was_passed_in_stays_open() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answering(json=[]))) as client:
        await TiingoSource(KEY, client=client).close()
        assert not client.is_closed


async def test_after_close_its_own_client_takes_no_request() -> None:
    source = TiingoSource(KEY)
    await source.close()
    with pytest.raises(RuntimeError, match="closed"):
        await source.fetch(SPAN)


def test_importing_it_does_not_import_pandas() -> None:
    code = "import sys, backend.ingest.sources.tiingo; print('pandas' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  our own code
    assert ran.stdout.strip() == "False"
