"""Tiingo's end-of-day prices: as traded, with splits and dividends beside them.

1. The prices of the span are asked for, as JSON; CSV, which is the vendor's other form, is understood as well.
2. Where the whole history was asked for, or nothing recent came, the vendor is asked what it has of the ticker: when it
   was first traded, and whether it still is.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pyarrow as pa

from backend.ingest.errors import (
    BadDataError,
    NetworkError,
    RateLimitError,
    SourceSettingsError,
    SourceTimeoutError,
    TickerNotFoundError,
)
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, Fetched, FetchRequest
from backend.ingest.sources.http import Answer, parsed_json, refusal

_FIRST_DAY = dt.date(1962, 1, 2)
#: A ticker without a bar for so long may have ended, so it is asked about; without one for so long, it has.
_QUIET, _ENDED = dt.timedelta(days=10), dt.timedelta(days=30)
#: How the vendor says, also with status 200, that a limit of the account is used up.
_USED_UP = b"run over your"
_FIELDS = {name: name for name in ("open", "high", "low", "close", "volume")} | {"adjusted_close": "adjClose"}


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


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
    clock : callable
        Now, as an aware datetime.

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
        clock: Callable[[], dt.datetime] = _utc_now,
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
        self._clock = clock
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
            Empty when a request with a start finds no bar. A ticker whose data ended more than a month ago has a
            delisting on the day after, of return 0: the vendor says when it ended, not what a holder got.

        Raises
        ------
        SourceError
            The leaf that says why; `TickerNotFoundError` also when a ticker has no bar at all.
        SourceSettingsError
            If the vendor refuses the key.
        """
        ticker, today = request.ticker, self._clock().date()
        rows = self._rows(ticker, await self._prices(request))
        if not rows and request.start is None:
            raise TickerNotFoundError(self.name, ticker, "no bar at all")
        try:
            fetched = _fetched(ticker, rows)
            newest = fetched.bars["date"][-1].as_py() if rows else None
            if request.start is not None and newest is not None and newest >= today - _QUIET:
                return fetched
            return _with_facts(fetched, request, await self._facts(ticker), today=today)
        except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise BadDataError(self.name, ticker, f"a row cannot be understood ({error!r})") from error

    async def _prices(self, request: FetchRequest) -> Answer:
        query = {"format": "json", "startDate": (request.start or _FIRST_DAY).isoformat()}
        if request.end is not None:
            query["endDate"] = request.end.isoformat()
        answer = await self._answer(request.ticker, "/prices", query)
        refused = refusal(self.name, request.ticker, answer)
        if refused is not None:
            raise refused
        return answer

    async def _facts(self, ticker: str) -> Mapping[str, Any]:  # Any: the vendor's JSON
        """What the vendor has of a ticker; nothing where it has prices only."""
        answer = await self._answer(ticker, "", {})
        refused = refusal(self.name, ticker, answer)
        if isinstance(refused, TickerNotFoundError):
            return {}
        if refused is not None:
            raise refused
        facts = parsed_json(self.name, ticker, answer)
        if not isinstance(facts, dict):
            raise BadDataError(self.name, ticker, "what it is told to be is no object")
        about = str(facts.get("ticker", ""))
        if about.upper() != _symbol(ticker).upper():
            raise BadDataError(self.name, ticker, f"the answer is about {about}")
        return facts

    async def _answer(self, ticker: str, part: str, query: Mapping[str, str]) -> Answer:
        url = f"{self._base_url}/tiingo/daily/{quote(_symbol(ticker), safe='')}{part}"
        try:
            response = await self._client.get(url, params=query, headers=self._headers, timeout=self._timeout_s)
        except httpx.TimeoutException as error:
            raise SourceTimeoutError(self.name, ticker, "no answer in time") from error
        except httpx.HTTPError as error:
            raise NetworkError(self.name, ticker, type(error).__name__) from error
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            reason = f"refused by the vendor with status {response.status_code}"
            raise SourceSettingsError("TIINGO_API_KEY", "(hidden)", reason)
        if _USED_UP in response.content[:500]:
            raise RateLimitError(self.name, ticker, "the account's limit is used up")
        return Answer(
            status=response.status_code, content=response.content, retry_after=response.headers.get("Retry-After")
        )

    def _rows(self, ticker: str, answer: Answer) -> Sequence[Mapping[str, Any]]:  # Any: the vendor's JSON
        is_csv = answer.content.startswith(b"date,")
        rows = _csv_rows(answer.content) if is_csv else parsed_json(self.name, ticker, answer)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadDataError(self.name, ticker, "the answer is not a list of rows")
        missing = [name for name in ("date", *_FIELDS.values()) if rows and name not in rows[0]]
        if missing:
            raise BadDataError(self.name, ticker, f"the answer lacks {', '.join(missing)}")
        return rows


def _symbol(ticker: str) -> str:
    """Tiingo writes a class of shares with a dash: BRK-B."""
    return ticker.replace(".", "-")


def _csv_rows(content: bytes) -> list[dict[str, Any]]:  # Any: as of JSON
    """Rows of the vendor's CSV; a field without a value is None."""
    lines = content.decode(errors="replace").splitlines()
    return [{name: value or None for name, value in row.items()} for row in csv.DictReader(lines)]


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


def _with_facts(
    fetched: Fetched,
    request: FetchRequest,
    facts: Mapping[str, Any],  # Any: the vendor's JSON
    *,
    today: dt.date,
) -> Fetched:
    metadata = {"first_trade_date": str(dt.date.fromisoformat(facts["startDate"]))} if facts.get("startDate") else {}
    last = dt.date.fromisoformat(facts["endDate"]) if facts.get("endDate") else today
    gone = last + dt.timedelta(days=1)
    is_asked = (request.start is None or request.start <= gone) and (request.end is None or gone <= request.end)
    actions = fetched.actions
    if last < today - _ENDED and is_asked:
        row = {"ticker": request.ticker, "ex_date": gone, "kind": "delisting", "value": 0.0}
        actions = pa.concat_tables([actions, pa.Table.from_pylist([row], schema=ACTION_SCHEMA)])
    return replace(fetched, actions=actions, metadata=metadata)


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)
