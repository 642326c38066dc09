"""Tiingo's end-of-day prices: as traded, with splits and dividends beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import pyarrow as pa

from backend.ingest.errors import (
    BadDataError,
    NetworkError,
    SourceSettingsError,
    SourceTimeoutError,
    TickerNotFoundError,
)
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, Fetched, FetchRequest
from backend.ingest.sources.http import Answer, parsed_json, refusal

_FIRST_DAY = dt.date(1962, 1, 2)
_FIELDS = {name: name for name in ("open", "high", "low", "close", "volume")} | {"adjusted_close": "adjClose"}


class TiingoSource:
    """Bars of one ticker per request; the key goes into a header and nowhere else.

    Parameters
    ----------
    api_key : str
    base_url : str
        Scheme and host.
    timeout_s : float
        For connecting, and for each wait for bytes.
    client : httpx.AsyncClient or None
        Whoever passes one closes it; None: one of its own.

    Raises
    ------
    SourceSettingsError
        If the key is missing or cannot be sent. The message does not show it.
    """

    name = "tiingo"

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = "https://api.tiingo.com",
        timeout_s: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        if not api_key:
            raise SourceSettingsError("TIINGO_API_KEY", None, "the source tiingo needs a key; set it in backend/.env")
        # The HTTP library would refuse such a header with a message that shows it.
        if not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
            raise SourceSettingsError("TIINGO_API_KEY", "(hidden)", "holds a space or a character that is not ASCII")
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._is_own_client = client is None
        self._client = client or httpx.AsyncClient()
        self._headers = {"Authorization": f"Token {api_key}"}

    async def tickers(self) -> Sequence[str]:
        """Nothing: a vendor is asked for named tickers."""
        return ()

    async def close(self) -> None:
        """Close the connections, unless the client was passed in."""
        if self._is_own_client:
            await self._client.aclose()

    async def fetch(self, request: FetchRequest) -> Fetched:
        """Bars and actions of a ticker.

        Returns
        -------
        Fetched
            Empty when a request with a start finds no bar.

        Raises
        ------
        SourceError
            The leaf that says why; `TickerNotFoundError` also when a ticker has no bar at all.
        SourceSettingsError
            If the vendor refuses the key.
        """
        rows = self._rows(request.ticker, await self._answer(request))
        if not rows and request.start is None:
            raise TickerNotFoundError(self.name, request.ticker, "no bar at all")
        try:
            return _fetched(request.ticker, rows)
        except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise BadDataError(self.name, request.ticker, f"a row cannot be understood ({error!r})") from error

    async def _answer(self, request: FetchRequest) -> Answer:
        ticker = request.ticker
        query = {"format": "json", "startDate": (request.start or _FIRST_DAY).isoformat()}
        if request.end is not None:
            query["endDate"] = request.end.isoformat()
        url = f"{self._base_url}/tiingo/daily/{_path_segment(ticker)}/prices"
        try:
            response = await self._client.get(url, params=query, headers=self._headers, timeout=self._timeout_s)
        except httpx.TimeoutException as error:
            raise SourceTimeoutError(self.name, ticker, "no answer in time") from error
        except httpx.HTTPError as error:
            raise NetworkError(self.name, ticker, type(error).__name__) from error
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            reason = f"refused by the vendor with status {response.status_code}"
            raise SourceSettingsError("TIINGO_API_KEY", "(hidden)", reason)
        answer = Answer(
            status=response.status_code, content=response.content, retry_after=response.headers.get("Retry-After")
        )
        refused = refusal(self.name, ticker, answer)
        if refused is not None:
            raise refused
        return answer

    def _rows(self, ticker: str, answer: Answer) -> list[Mapping[str, Any]]:  # Any: the vendor's JSON
        rows = parsed_json(self.name, ticker, answer)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadDataError(self.name, ticker, "the answer is not a list of rows")
        missing = [name for name in ("date", *_FIELDS.values()) if rows and name not in rows[0]]
        if missing:
            raise BadDataError(self.name, ticker, f"the answer lacks {', '.join(missing)}")
        return rows


def _path_segment(ticker: str) -> str:
    """Tiingo writes a class of shares with a dash: BRK-B."""
    return quote(ticker.replace(".", "-"), safe="")


def _fetched(ticker: str, rows: Sequence[Mapping[str, Any]]) -> Fetched:  # Any: the vendor's JSON
    days = [dt.date.fromisoformat(row["date"][:10]) for row in rows]
    bars: dict[str, Sequence[object]] = {"ticker": [ticker] * len(rows), "date": days}
    bars |= {ours: [_number(row[theirs]) for row in rows] for ours, theirs in _FIELDS.items()}
    actions = [
        {"ticker": ticker, "ex_date": day, "kind": kind, "value": value}
        for day, row in zip(days, rows, strict=True)
        for kind, value, neutral in (
            ("split", float(row.get("splitFactor", 1.0)), 1.0),
            ("dividend", float(row.get("divCash", 0.0)), 0.0),
        )
        if value != neutral
    ]
    return Fetched(
        bars=pa.table(bars, schema=BAR_SCHEMA).sort_by("date"),
        actions=pa.Table.from_pylist(actions, schema=ACTION_SCHEMA),
    )


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
