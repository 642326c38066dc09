"""A vendor in a process of its own that answers as Yahoo does, in full size, after a fixed time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import urlopen

import numpy as np
from numpy.typing import NDArray

DateArray = NDArray[np.datetime64]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_OPENS_S = 14 * 3600 + 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowVendor:
    """A vendor that is running."""

    url: str

    def n_bytes(self) -> int:
        """Bytes of all answers so far."""
        with urlopen(f"{self.url}/bytes") as answer:  # noqa: S310  our own server
            return int(answer.read())


@contextmanager
def slow_vendor(tickers: Sequence[str], *, n_sessions: int, last: date, latency_s: float) -> Iterator[SlowVendor]:
    """A running vendor of the tickers, whose last session is `last`; weekdays are sessions."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, list(tickers), n_sessions, last, latency_s), daemon=True)
    process.start()
    try:
        yield SlowVendor(url=f"http://127.0.0.1:{ours.recv()}")
    finally:
        process.terminate()
        process.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What Yahoo has of a ticker: a random walk of its own."""

    ticker: str
    times: IntArray
    values: dict[str, FloatArray]

    def answer(self, first: int) -> bytes:
        """Yahoo's JSON of the sessions from the number `first` on."""
        meta = {
            "currency": "USD", "symbol": self.ticker, "exchangeName": "NYQ", "instrumentType": "EQUITY",
            "gmtoffset": -18_000, "timezone": "EST", "exchangeTimezoneName": "America/New_York",
            "firstTradeDate": int(self.times[0]), "dataGranularity": "1d", "range": "",
        }  # fmt: skip
        values = {name: value[first:].tolist() for name, value in self.values.items()}
        adjusted = [{"adjclose": values.pop("adjclose")}]
        indicators = {"quote": [values], "adjclose": adjusted}
        result = {"meta": meta, "timestamp": self.times[first:].tolist(), "indicators": indicators}
        return json.dumps({"chart": {"result": [result], "error": None}}, separators=(",", ":")).encode()


def chart(ticker: str, days: DateArray) -> Chart:
    """A chart with a session on each of the days; prices are floats of 32 bits, as Yahoo's are."""
    random = np.random.default_rng(sum(map(ord, ticker)))
    close = 50 * np.exp(np.cumsum(random.normal(0, 0.01, days.size))) + 1
    scales = {"open": 1.001, "high": 1.01, "low": 0.99, "close": 1.0, "adjclose": 0.97}
    values = {name: (close * scale).astype(np.float32).astype(float) for name, scale in scales.items()}
    volume = random.integers(100_000, 10_000_000, days.size)
    times = days.astype("datetime64[s]").astype(np.int64) + _OPENS_S
    return Chart(ticker=ticker, times=times, values=values | {"volume": volume})


def _serve(pipe: Connection, tickers: Sequence[str], n_sessions: int, last: date, latency_s: float) -> None:
    days = np.busday_offset(np.datetime64(last), np.arange(1 - n_sessions, 1), roll="backward")
    charts = {ticker: chart(ticker, days) for ticker in tickers}
    whole = {ticker: found.answer(0) for ticker, found in charts.items()}
    sent = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while line := (await reader.readline()).decode():
            while (await reader.readline()).strip():
                pass
            url = urlsplit(line.split(" ")[1])
            if url.path == "/bytes":
                body = str(sent).encode()
            else:
                await asyncio.sleep(latency_s)
                ticker = unquote(url.path.rsplit("/", 1)[1])
                start = np.datetime64(int(parse_qs(url.query)["period1"][0]), "s")
                first = int(np.searchsorted(days, start))
                body = whole[ticker] if first == 0 else charts[ticker].answer(first)
                sent += len(body)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())
