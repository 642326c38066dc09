"""Yahoo's daily prices through the yfinance library, undone of Yahoo's split adjustment.

Yahoo divides every price (and multiplies volume) by all splits up to today, also when asked not to adjust. We store
prices as traded, so that the day after a split is no restatement: each bar is multiplied by the splits that came after
it. All of those must be known, so a request always runs to today, and is cut to the asked span afterwards.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

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
_DECIMALS, _SIGNIFICANT_DIGITS = 4, 7

History = Callable[[str, dt.date | None], "pd.DataFrame"]


class YahooSource:
    """Bars of one ticker per request.

    Parameters
    ----------
    timeout_s : float
        For one HTTP request of the library.
    history : callable or None
        ``history(ticker, start)`` gives the library's frame from `start` (None: everything) to today; None: yfinance.
    """

    name = "yahoo"

    def __init__(self, *, timeout_s: float = 30.0, history: History | None = None) -> None:
        self._history = history or _yfinance_history(timeout_s)

    async def tickers(self) -> Sequence[str]:
        """Nothing: a vendor is asked for named tickers."""
        return ()

    async def close(self) -> None:
        """Nothing to close: the library keeps its own session."""

    async def fetch(self, request: FetchRequest) -> Fetched:
        """Bars as traded and actions of a ticker; an empty table when a delta request finds nothing new."""
        try:
            frame = await asyncio.to_thread(self._history, request.ticker, request.start)
        except Exception as error:
            translated = self._translated(request, error)
            if translated is None:
                return Fetched(bars=BAR_SCHEMA.empty_table(), actions=ACTION_SCHEMA.empty_table())
            raise translated from error
        if frame.empty and request.start is None:
            raise TickerNotFoundError(self.name, request.ticker, "no bar at all")
        try:
            return _fetched(request, frame)
        except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise BadDataError(self.name, request.ticker, f"the answer cannot be understood ({error!r})") from error

    def _translated(self, request: FetchRequest, error: Exception) -> SourceError | None:
        """Our error for one of the library; None where it only means that a delta request found nothing new.

        By class name, so that the library need not be imported to understand an injected history.
        """
        names = {kind.__name__ for kind in type(error).__mro__}
        reason = str(error) or type(error).__name__
        if "YFRateLimitError" in names:
            return RateLimitError(self.name, request.ticker, reason)
        if "YFTickerMissingError" in names:
            return self._missing(request, reason)
        if "Timeout" in names or isinstance(error, TimeoutError):
            return SourceTimeoutError(self.name, request.ticker, reason)
        if "YFDataException" in names or isinstance(error, OSError):
            return NetworkError(self.name, request.ticker, reason)
        return BadDataError(self.name, request.ticker, f"{type(error).__name__}: {reason}")

    def _missing(self, request: FetchRequest, reason: str) -> SourceError | None:
        text = reason.lower()
        if request.start is not None and ("data doesn't exist" in text or "no price data found" in text):
            return None
        # The library guesses "possibly delisted" wherever it found nothing; only Yahoo's own words are evidence.
        if "may be delisted" in text:
            return DelistedError(self.name, request.ticker, reason)
        return TickerNotFoundError(self.name, request.ticker, reason)


def _fetched(request: FetchRequest, frame: pd.DataFrame) -> Fetched:
    days = np.array([moment.date() for moment in frame.index], dtype="datetime64[D]")
    splits = frame["Stock Splits"].to_numpy(dtype=np.float64) if "Stock Splits" in frame else np.zeros(days.size)
    dividends = frame["Dividends"].to_numpy(dtype=np.float64) if "Dividends" in frame else np.zeros(days.size)
    later = _later_splits(splits)
    columns = {ours: _as_traded(frame[theirs].to_numpy(dtype=np.float64) * later) for ours, theirs in _PRICES.items()}
    columns["volume"] = np.round(frame["Volume"].to_numpy(dtype=np.float64) / later)
    columns["adjusted_close"] = frame["Adj Close"].to_numpy(dtype=np.float64)
    is_asked = _is_asked(days, request)
    # Yahoo sends rows without any value for days on which an action, but no trade, happened.
    has_bar = is_asked & ~np.all([np.isnan(columns[name]) for name in _PRICES], axis=0)
    bars = {"ticker": pa.array([request.ticker] * int(has_bar.sum()), pa.string()), "date": pa.array(days[has_bar])}
    bars |= {name: pa.array(values[has_bar], from_pandas=True) for name, values in columns.items()}
    actions = [
        {"ticker": request.ticker, "ex_date": days[row].item(), "kind": kind, "value": float(values[row])}
        for kind, values in (("split", splits), ("dividend", np.round(dividends * later, 6)))
        for row in np.flatnonzero(is_asked & (values > 0))
    ]
    return Fetched(bars=pa.table(bars, schema=BAR_SCHEMA), actions=pa.Table.from_pylist(actions, schema=ACTION_SCHEMA))


def _later_splits(splits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Product of the split ratios after each row."""
    ratios = np.where(splits > 0, splits, 1.0)
    through = np.cumprod(ratios[::-1])[::-1]
    return np.append(through[1:], 1.0) if splits.size else np.ones(0)


def _as_traded(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = np.floor(np.log10(np.abs(prices)))
    decimals = np.minimum(_DECIMALS, _SIGNIFICANT_DIGITS - 1 - np.nan_to_num(magnitude, neginf=0.0))
    scale = 10.0**decimals
    rounded: NDArray[np.float64] = np.round(prices * scale) / scale
    return rounded


def _is_asked(days: NDArray[np.datetime64], request: FetchRequest) -> NDArray[np.bool_]:
    asked = np.ones(days.size, dtype=np.bool_)
    if request.start is not None:
        asked &= days >= np.datetime64(request.start, "D")
    if request.end is not None:
        asked &= days <= np.datetime64(request.end, "D")
    return asked


def _yfinance_history(timeout_s: float) -> History:
    def history(ticker: str, start: dt.date | None) -> pd.DataFrame:
        import yfinance  # noqa: PLC0415  heavy, and only where this source is used

        yfinance.config.debug.hide_exceptions = False  # a failure must not look like an empty answer
        span = {"period": "max"} if start is None else {"start": start.isoformat()}
        frame: pd.DataFrame = yfinance.Ticker(ticker).history(
            interval="1d", auto_adjust=False, actions=True, repair=False, timeout=timeout_s, **span
        )
        return frame

    return history
