"""Yahoo's daily prices, from the endpoint that draws the charts of its site.

1. The chart of a ticker is asked for from the first asked session to now: all splits must be known to undo them.
2. A refusal becomes one of our errors, and so does an answer about another ticker.
3. `backend.ingest.sources.yahoo_chart` reads what is left, and cuts it to the asked span.

Yahoo refuses clients whose TLS handshake is no browser's, whatever they call themselves: with 429, from May 2025 on.
Therefore curl_cffi and not the HTTP library of the other sources.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa

from backend.ingest.errors import (
    BadDataError,
    DelistedError,
    NetworkError,
    SourceError,
    SourceTimeoutError,
    TickerNotFoundError,
)
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, Fetched, FetchRequest
from backend.ingest.sources.http import Answer, parsed_json, refusal
from backend.ingest.sources.yahoo_chart import parsed_chart, symbol_of

if TYPE_CHECKING:
    from curl_cffi.requests import AsyncSession, Response

#: How Yahoo says that a ticker has no bar in the span, though it knows it.
_NO_BAR_IN_SPAN = ("no price data found", "data doesn't exist", "start date cannot be after end date")
#: Yahoo gives at most 100 years of days per request.
_LONGEST = dt.timedelta(days=99 * 365)
#: Sessions of the far east begin on the day before, in UTC.
_AHEAD_OF_UTC = dt.timedelta(days=1)


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class YahooSource:
    """Bars of one ticker per request.

    Parameters
    ----------
    base_url : str
        Scheme and host.
    timeout_s : float
        For one whole request.
    clock : callable
        Now, as an aware datetime.
    """

    name = "yahoo"

    def __init__(
        self,
        *,
        base_url: str = "https://query1.finance.yahoo.com",
        timeout_s: float = 30.0,
        clock: Callable[[], dt.datetime] = _utc_now,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._clock = clock
        self._session: AsyncSession[Response] | None = None
        self._reading = asyncio.Lock()

    async def tickers(self) -> Sequence[str]:
        """Nothing: a vendor is asked for named tickers."""
        return ()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, request: FetchRequest) -> Fetched:
        """Bars as traded and actions of a ticker.

        Returns
        -------
        Fetched
            Empty when a request with a start finds no bar. `adjusted_close` is Yahoo's figure, untouched. `metadata`
            has the currency (GBp is pence), the time zone, the kind of instrument, and the date of its first trade.

        Raises
        ------
        SourceError
            The leaf that says why; `DelistedError` also when Yahoo knows a ticker but has no bar of it at all.
        """
        answer = await self._answer(request)
        if answer.status == HTTPStatus.OK:
            request.answered()
        # One at a time: more threads would only take turns at Python's lock, and keep the event loop from it.
        async with self._reading:
            return await asyncio.to_thread(self._read, request, answer, now=self._clock())

    def _read(self, request: FetchRequest, answer: Answer, *, now: dt.datetime) -> Fetched:
        result = self._result(request, answer)
        if result is None:
            return Fetched(bars=BAR_SCHEMA.empty_table(), actions=ACTION_SCHEMA.empty_table())
        try:
            symbol = symbol_of(result)
            if symbol.upper() != request.ticker.upper():
                raise BadDataError(self.name, request.ticker, f"the answer is about {symbol}")
            if request.start is None and not result.get("timestamp") and not result["indicators"]["quote"][0]:
                raise DelistedError(self.name, request.ticker, "known to Yahoo, but without a bar")
            return parsed_chart(result, request, now=now)
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, pa.ArrowException) as error:
            raise BadDataError(self.name, request.ticker, f"the answer cannot be understood ({error!r})") from error

    async def _answer(self, request: FetchRequest) -> Answer:
        from curl_cffi.requests import AsyncSession  # noqa: PLC0415  only where this source is used
        from curl_cffi.requests.exceptions import RequestException, Timeout  # noqa: PLC0415  see above

        if self._session is None:
            self._session = AsyncSession(impersonate="chrome", allow_redirects=False)
        url = f"{self._base_url}/v8/finance/chart/{quote(request.ticker, safe='')}"
        try:
            response = await self._session.get(url, params=self._query(request), timeout=self._timeout_s)
        except Timeout as error:
            raise SourceTimeoutError(self.name, request.ticker, "no answer in time") from error
        except RequestException as error:
            raise NetworkError(self.name, request.ticker, type(error).__name__) from error
        return Answer(
            status=response.status_code, content=response.content, retry_after=response.headers.get("Retry-After")
        )

    def _query(self, request: FetchRequest) -> dict[str, str | int]:
        now = self._clock()
        midnight = dt.datetime.combine(request.start or (now - _LONGEST).date(), dt.time(), dt.UTC)
        begin = midnight if request.start is None else midnight - _AHEAD_OF_UTC
        span = {"period1": int(begin.timestamp()), "period2": int(now.timestamp())}
        return {"interval": "1d", "events": "div,splits", "includePrePost": "false", **span}

    def _result(self, request: FetchRequest, answer: Answer) -> Mapping[str, Any] | None:  # Any: Yahoo's JSON
        """The result of an answer; None where it only says that a request with a start found no bar."""
        error = refusal(self.name, request.ticker, answer)
        if error is not None and error.is_transient:
            raise error
        chart = _chart(self.name, request.ticker, answer, refused=error)
        if chart.get("error"):
            absence = self._absence(request, str(chart["error"].get("description")))
            if absence is None:
                return None
            raise absence
        if error is not None:
            raise error
        results = chart.get("result")
        if not (isinstance(results, list) and len(results) == 1 and isinstance(results[0], dict)):
            raise BadDataError(self.name, request.ticker, "an answer without ticker, prices or reason")
        result: dict[str, Any] = results[0]  # Any: JSON
        return result

    def _absence(self, request: FetchRequest, reason: str) -> SourceError | None:
        """What Yahoo's reason means; None when there are merely no bars in a part of the history.

        It says "may be delisted" of every symbol that it does not know. Only a request for what is new, which is made
        for a ticker that has bars, shows that the symbol was known.
        """
        ticker, is_whole = request.ticker, request.start is None
        text = reason.lower()
        if "may be delisted" in text:
            kind = TickerNotFoundError if is_whole else DelistedError
            return kind(self.name, ticker, f"{reason} (Yahoo says the same of a symbol that never was)")
        if any(phrase in text for phrase in _NO_BAR_IN_SPAN):
            return TickerNotFoundError(self.name, ticker, reason) if is_whole else None
        # What remains is an explanation that is none of the above, such as an internal error.
        return NetworkError(self.name, ticker, reason)


def _chart(source: str, ticker: str, answer: Answer, *, refused: SourceError | None) -> Mapping[str, Any]:  # Any: JSON
    """The chart of an answer; its refusal where it has none."""
    try:
        document = parsed_json(source, ticker, answer)
    except SourceError as error:
        raise (refused or error) from error
    if isinstance(document, dict) and isinstance(document.get("chart"), dict):
        chart: dict[str, Any] = document["chart"]  # Any: JSON
        return chart
    raise refused or BadDataError(source, ticker, "the answer is no chart")
