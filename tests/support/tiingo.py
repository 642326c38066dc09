"""Tiingo's answers in the documented shape, written by hand, and what the source makes of them without a network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import httpx

from backend.ingest.sources.contract import Fetched, FetchRequest
from backend.ingest.sources.tiingo import TiingoSource

KEY = "0123456789abcdef-secret"
SPAN = FetchRequest(ticker="AAPL", start=date(2020, 8, 28), end=date(2020, 8, 31))
Handler = Callable[[httpx.Request], httpx.Response]


def row(day: str, **changes: object) -> dict[str, object]:
    """A row in the documented shape (api.tiingo.com/documentation/end-of-day), written by hand."""
    prices = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 100}
    adjusted = {"adjClose": 5.5, "adjHigh": 6.0, "adjLow": 4.5, "adjOpen": 5.0, "adjVolume": 200}
    return {"date": f"{day}T00:00:00.000Z", **prices, **adjusted, "divCash": 0.0, "splitFactor": 1.0, **changes}


def answering(status: int = 200, **answer: Any) -> Handler:  # Any: the arguments of httpx.Response
    """Answer always the same."""
    return lambda _request: httpx.Response(status, **answer)


async def fetched(
    handler: Handler,
    request: FetchRequest = SPAN,
    *,
    base_url: str = "https://vendor.test",
    facts: Handler | None = None,
    today: date = date(2020, 9, 1),
) -> Fetched:
    """What the source makes of these answers, to a request for prices and to one for what the ticker is."""

    def handle(received: httpx.Request) -> httpx.Response:
        if received.url.path.endswith("/prices"):
            return handler(received)
        return facts(received) if facts else httpx.Response(200, json=listing(received.url.path.rsplit("/", 1)[1]))

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
        source = TiingoSource(
            KEY, base_url=base_url, client=client, clock=lambda: datetime.combine(today, time(12), UTC)
        )
        return await source.fetch(request)


def listing(ticker: str, start: str = "1980-12-12", end: str | None = "2020-08-31") -> dict[str, str | None]:
    """What the vendor has of a ticker, in the documented shape, written by hand."""
    return {"ticker": ticker, "startDate": start, "endDate": end, "exchangeCode": "NASDAQ", "name": "A company"}
