"""Bars of many tickers as columns, and the corporate actions that fall on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
DateArray = NDArray[np.datetime64]

#: More days than any date of a bar is from any other.
_DAYS = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Bars as columns; those of a ticker stand together, by increasing date.

    Parameters
    ----------
    tickers : tuple of str
        Each once, in the order of their bars.
    starts, first, ticker_of : ndarray of int64
        First row of each ticker, of shape (n_tickers,); for each row the first row of its ticker, and the number of
        its ticker, of shape (n_bars,).
    days : ndarray of shape (n_bars,), int64
        Days since 1970-01-01.
    open, high, low, close, volume, adjusted_close : ndarray of shape (n_bars,)
        NaN: the source has no value. Closes are positive and finite.
    answers : ndarray of shape (n_bars,), int64
        Bars of one number came in one answer of the vendor: only their adjusted closes can be compared.
    """

    tickers: tuple[str, ...]
    starts: IntArray
    first: IntArray
    ticker_of: IntArray
    days: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    adjusted_close: FloatArray
    answers: IntArray

    @property
    def stops(self) -> IntArray:
        """Row after the last of each ticker, of shape (n_tickers,)."""
        return np.append(self.starts[1:], self.days.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Splits and dividends of the tickers of a `Series`.

    Parameters
    ----------
    split_tickers, split_days, split_logs : ndarray of shape (n_splits,)
        Number of the ticker, ex-date as days since 1970, log of new shares per old.
    split_rows : ndarray of shape (n_splits,), int64
        First bar from the ex-date on; -1 where there is none, or none before it.
    dividend_rows, dividends : ndarray of shape (n_dividends,)
        The same of those dividends that have both bars, and cash per share after a split of that day.
    """

    split_tickers: IntArray
    split_days: IntArray
    split_logs: FloatArray
    split_rows: IntArray
    dividend_rows: IntArray
    dividends: FloatArray


def series_of(bars: pa.Table, *, answers: IntArray | None = None) -> Series:
    """The bars as columns; `ValueError` unless those of a ticker stand together and by increasing date.

    Parameters
    ----------
    bars : pa.Table
        With the columns of BAR_SCHEMA.
    answers : ndarray of shape (n_bars,), optional
        See `Series`; absent: one answer per ticker.
    """
    runs = pc.run_end_encode(bars["ticker"].combine_chunks(), run_end_type=pa.int64())
    stops: IntArray = runs.run_ends.to_numpy() if bars.num_rows else np.empty(0, dtype=np.int64)
    tickers = tuple(runs.values.to_pylist())
    starts = np.append(0, stops[:-1])[: stops.size]
    sizes = stops - starts
    series = Series(
        tickers=tickers,
        starts=starts,
        first=np.repeat(starts, sizes),
        ticker_of=np.repeat(np.arange(len(tickers)), sizes),
        days=bars["date"].cast(pa.int32()).to_numpy().astype(np.int64),
        answers=np.zeros(bars.num_rows, dtype=np.int64) if answers is None else answers,
        **{name: bars[name].to_numpy() for name in ("open", "high", "low", "close", "volume", "adjusted_close")},
    )
    is_later = np.diff(series.days) > 0
    is_later[starts[1:] - 1] = True
    if len(set(tickers)) < len(tickers) or not is_later.all():
        raise ValueError("bars of a ticker must stand together, by increasing date, each date once")
    return series


def actions_on(series: Series, actions: pa.Table) -> Actions:
    """The splits and dividends of the series' tickers; other kinds and other tickers are left out.

    Parameters
    ----------
    actions : pa.Table
        With the columns ticker, ex_date, kind and value.
    """
    known = actions.filter(pc.is_in(actions["ticker"], pa.array(series.tickers, pa.string())))
    tickers = pc.index_in(known["ticker"], pa.array(series.tickers, pa.string())).to_numpy().astype(np.int64)
    days = known["ex_date"].cast(pa.int32()).to_numpy().astype(np.int64)
    values = known["value"].to_numpy()
    rows = _rows_from(series, tickers, days)
    is_split = pc.equal(known["kind"], "split").to_numpy()
    is_dividend = pc.equal(known["kind"], "dividend").to_numpy() & (rows >= 0)
    return Actions(
        split_tickers=tickers[is_split],
        split_days=days[is_split],
        split_logs=np.log(values[is_split]),
        split_rows=rows[is_split],
        dividend_rows=rows[is_dividend],
        dividends=values[is_dividend],
    )


def _rows_from(series: Series, tickers: IntArray, days: IntArray) -> IntArray:
    """First row of the ticker from that day on, -1 where there is none or it is the ticker's first."""
    if not tickers.size:
        return np.empty(0, dtype=np.int64)
    rows = np.searchsorted(series.ticker_of * _DAYS + series.days, tickers * _DAYS + days).astype(np.int64)
    has_both = (rows < series.stops[tickers]) & (rows > series.starts[tickers])
    return np.where(has_both, rows, -1)
