"""Yahoo's daily prices through the yfinance library, undone of Yahoo's split adjustment.

Yahoo divides every price (and multiplies volume) by all splits up to today, also when asked not to adjust. We store
prices as traded, so that the day after a split is no restatement: each bar is multiplied by the splits that came after
it. All of those must be known, so a request always runs to today, and is cut to the asked span afterwards.

1. The library is asked, in a thread, from the first asked session to today.
2. Its exceptions become ours; an answer about another ticker is refused.
3. Prices are multiplied, volumes divided and dividends multiplied by the product of the later split ratios.
4. Rows without any value are left out, and so is what was not asked for.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.ingest.errors import (
    BadDataError,
    DelistedError,
    NetworkError,
    RateLimitError,
    SourceError,
    SourceTimeoutError,
    TickerNotFoundError,
)
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, Fetched, FetchRequest

if TYPE_CHECKING:
    import pandas as pd

_PRICES = {"open": "Open", "high": "High", "low": "Low", "close": "Close"}
#: Yahoo sends 32-bit floats: digits beyond these are noise, which would look like a restatement after every split.
_SIGNIFICANT_DIGITS = 7
#: What it divided by a split it rounded, too, so multiplying back gives no more than the decimals of a quoted price.
_DECIMALS_AFTER_SPLIT = 4
#: How the library and Yahoo say that a ticker has no bar in the span, though they know it.
_NO_BAR_IN_SPAN = ("no price data found", "data doesn't exist", "start date cannot be after end date")
_NOT_FOUND, _TOO_MANY_REQUESTS = 404, 429
#: A server error reaches us as a page that is not JSON: the library does not look at the status.
_OUTAGES = {"YFDataException", "JSONDecodeError"}

History = Callable[[str, dt.date | None], "pd.DataFrame"]


class YahooSource:
    """Bars of one ticker per request.

    Parameters
    ----------
    timeout_s : float
        For one HTTP request of the library.
    history : callable or None
        ``history(ticker, start)`` gives the library's frame from `start` (None: everything) to today; None: yfinance.
        Where ``frame.attrs["symbol"]`` says whom the answer is about, it must be the ticker.
    """

    name = "yahoo"

    def __init__(self, *, timeout_s: float = 30.0, history: History | None = None) -> None:
        self._history = history or yfinance_history(timeout_s)

    async def tickers(self) -> Sequence[str]:
        """Nothing: a vendor is asked for named tickers."""
        return ()

    async def close(self) -> None:
        """Nothing to close: the library keeps its own session."""

    async def fetch(self, request: FetchRequest) -> Fetched:
        """Bars as traded and actions of a ticker.

        Returns
        -------
        Fetched
            Empty when a request with a start finds no bar. `adjusted_close` is Yahoo's figure, untouched.

        Raises
        ------
        SourceError
            The leaf that says why; `TickerNotFoundError` also when a ticker has no bar at all.
        """
        try:
            frame = await asyncio.to_thread(self._history, request.ticker, request.start)
        except Exception as error:
            translated = self._translated(request, error)
            if translated is None:
                return _nothing()
            raise translated from error
        if frame.empty and request.start is None:
            raise TickerNotFoundError(self.name, request.ticker, "no bar at all")
        if frame.empty:
            return _nothing()
        symbol = frame.attrs.get("symbol", request.ticker)
        if symbol.upper() != request.ticker.upper():
            raise BadDataError(self.name, request.ticker, f"the answer is about {symbol}")
        try:
            return _fetched(request, frame.sort_index(kind="stable"))
        except (AttributeError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise BadDataError(self.name, request.ticker, f"the answer cannot be understood ({error!r})") from error

    def _translated(self, request: FetchRequest, error: Exception) -> SourceError | None:
        """Our error for one of the library; None where it only means that a request with a start found no bar."""
        names = _class_names(error)
        reason = str(error) or type(error).__name__
        if "YFTickerMissingError" not in names:
            kind = _kind_of_failure(error)
            return kind(self.name, request.ticker, reason if kind is not BadDataError else f"{error!r}")
        absence = _kind_of_absence(names, reason.lower(), is_whole_history=request.start is None)
        return None if absence is None else absence(self.name, request.ticker, reason)


def _class_names(error: Exception) -> set[str]:
    """By name, so that the library need not be imported to understand an injected history."""
    return {kind.__name__ for kind in type(error).__mro__}


def _kind_of_failure(error: Exception) -> type[SourceError]:
    names = _class_names(error)
    status = getattr(getattr(error, "response", None), "status_code", None)
    kinds = (
        (RateLimitError, "YFRateLimitError" in names or status == _TOO_MANY_REQUESTS),
        (TickerNotFoundError, status == _NOT_FOUND),
        (SourceTimeoutError, "Timeout" in names or isinstance(error, TimeoutError)),
        (NetworkError, bool(names & _OUTAGES) or isinstance(error, OSError)),
    )
    return next((kind for kind, holds in kinds if holds), BadDataError)


def _kind_of_absence(names: set[str], text: str, *, is_whole_history: bool) -> type[SourceError] | None:
    """What it means that the library has no prices; None when there are merely none in a part of the history.

    The library says "possibly delisted" of whatever it does not find. It is evidence only once Yahoo has given the
    time zone of the exchange, which it does for tickers it knows.
    """
    if "YFTzMissingError" in names:
        return TickerNotFoundError
    has_no_bar = any(phrase in text for phrase in _NO_BAR_IN_SPAN) and "status_code" not in text
    if has_no_bar and not is_whole_history:
        return None
    if "may be delisted" in text or (has_no_bar and "possibly delisted" in text):
        return DelistedError
    # What remains is an explanation by Yahoo that is none of the above, such as an internal error.
    return TickerNotFoundError if has_no_bar else NetworkError


def _nothing() -> Fetched:
    return Fetched(bars=BAR_SCHEMA.empty_table(), actions=ACTION_SCHEMA.empty_table())


def _fetched(request: FetchRequest, frame: pd.DataFrame) -> Fetched:
    days = np.array([moment.date() for moment in frame.index], dtype="datetime64[D]")
    splits, dividends = _numbers(frame, "Stock Splits"), _numbers(frame, "Dividends")
    later = _later_splits(splits)
    columns = {ours: _as_traded(_numbers(frame, theirs), later) for ours, theirs in _PRICES.items()}
    columns["adjusted_close"] = _numbers(frame, "Adj Close")
    # Yahoo sends rows without any value, for example where an action fell on a day without trade; the library makes
    # their missing volume a zero.
    has_value = np.any([~np.isnan(values) for values in columns.values()], axis=0) | (_numbers(frame, "Volume") > 0)
    columns["volume"] = np.round(_numbers(frame, "Volume") / later)
    is_asked = _is_asked(days, request)
    has_bar = is_asked & has_value
    bars = {"ticker": pa.array([request.ticker] * int(has_bar.sum()), pa.string()), "date": pa.array(days[has_bar])}
    bars |= {name: pa.array(values[has_bar], from_pandas=True) for name, values in columns.items()}
    actions = [
        {"ticker": request.ticker, "ex_date": days[row].item(), "kind": kind, "value": float(values[row])}
        for kind, values in (("split", splits), ("dividend", np.round(dividends * later, 6)))
        for row in np.flatnonzero(is_asked & (values > 0))
    ]
    return Fetched(bars=pa.table(bars, schema=BAR_SCHEMA), actions=pa.Table.from_pylist(actions, schema=ACTION_SCHEMA))


def _numbers(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    return frame[column].to_numpy(dtype=np.float64)


def _later_splits(splits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Product of the split ratios after each row."""
    ratios = np.where(splits > 0, splits, 1.0)
    through = np.cumprod(ratios[::-1])[::-1]
    return np.append(through[1:], 1.0) if splits.size else np.ones(0)


def _as_traded(prices: NDArray[np.float64], later_splits: NDArray[np.float64]) -> NDArray[np.float64]:
    traded = prices * later_splits
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = np.floor(np.log10(np.abs(traded)))
    decimals = _SIGNIFICANT_DIGITS - 1 - np.nan_to_num(magnitude, neginf=0.0, posinf=0.0)
    decimals = np.where(later_splits == 1, decimals, np.minimum(decimals, _DECIMALS_AFTER_SPLIT))
    scale = 10.0**decimals
    rounded: NDArray[np.float64] = np.round(traded * scale) / scale
    return rounded


def _is_asked(days: NDArray[np.datetime64], request: FetchRequest) -> NDArray[np.bool_]:
    asked = np.ones(days.size, dtype=np.bool_)
    if request.start is not None:
        asked &= days >= np.datetime64(request.start, "D")
    if request.end is not None:
        asked &= days <= np.datetime64(request.end, "D")
    return asked


def _is_unexplained(error: Any, metadata: Mapping[str, Any]) -> bool:  # Any: the library has no types
    """Whether "no price data" means an answer of another form: the library says the same of that and of an empty span.

    Only an answer in Yahoo's form has a symbol; one that failed has a reason or a status.
    """
    return error.yahoo_reason is None and "status_code" not in error.debug_info and "symbol" not in metadata


def yfinance_history(timeout_s: float, *, session: object = None) -> History:
    """The library's history of a ticker, from a session to today.

    Parameters
    ----------
    timeout_s : float
        For one HTTP request of prices.
    session : curl_cffi.requests.Session or None
        Transport of the library; None: its own.
    """

    def history(ticker: str, start: dt.date | None) -> pd.DataFrame:
        import yfinance  # noqa: PLC0415  heavy, and only where this source is used

        yfinance.config.debug.hide_exceptions = False  # a failure must not look like an empty answer
        asked = yfinance.Ticker(ticker, session=session)
        span = {"period": "max"} if start is None else {"start": start.isoformat()}
        try:
            frame: pd.DataFrame = asked.history(
                interval="1d", auto_adjust=False, actions=True, repair=False, timeout=timeout_s, **span
            )
        except yfinance.exceptions.YFPricesMissingError as error:
            if _is_unexplained(error, asked.history_metadata):
                raise ValueError("an answer without ticker, prices or reason") from error
            raise
        frame.attrs["symbol"] = asked.history_metadata.get("symbol", ticker)
        return frame

    return history
