"""Yahoo's chart answer, read: bars as traded, actions, and what it says of the instrument.

Yahoo divides every price (and multiplies volume) by all splits up to the end of the answer. We store prices as traded,
so that the day after a split is no restatement.

1. Timestamps become dates on the clock of the exchange.
2. Prices are multiplied, volumes divided and dividends multiplied by the product of the ratios of all later splits.
3. Left out are rows without any value, those that were not asked for, and the session that has not ended.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, Fetched, FetchRequest
from backend.ingest.sources.zones import local_dates

Json: TypeAlias = Mapping[str, Any]  # Any: Yahoo's JSON, checked where it is used
FloatArray: TypeAlias = NDArray[np.float64]
DateArray: TypeAlias = NDArray[np.datetime64]

_PRICES = ("open", "high", "low", "close")
#: Yahoo sends 32-bit floats: digits beyond these are noise, which would look like a restatement after every split.
_SIGNIFICANT_DIGITS = 7
#: What it divided by a split it rounded, too: 2^-24 of the price, which may be more than half of the seventh digit. And
#: multiplying back gives no more than the decimals of a quoted price.
_DIGITS_AFTER_SPLIT, _DECIMALS_AFTER_SPLIT = 6, 4
#: Powers of ten up to any that a float needs; looked up, since to compute them took a tenth of reading a chart.
_MOST_DECIMALS = 400
_POWERS_OF_TEN = np.array([float(f"1e{power}") for power in range(-_MOST_DECIMALS, _MOST_DECIMALS)])
#: Yahoo shows most exchanges with a delay of up to 20 minutes; after this long a session's bar is final.
_SETTLING = dt.timedelta(hours=1)
#: What is kept of the instrument, under our name.
_FACTS = {"currency": "currency", "timezone": "exchangeTimezoneName", "instrument": "instrumentType"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Splits:
    """Dates of the splits in ascending order, and new shares per old share."""

    dates: DateArray
    ratios: FloatArray

    def later(self, dates: DateArray) -> FloatArray:
        """Product of the ratios of all splits after each date."""
        from_here = np.append(np.cumprod(self.ratios[::-1])[::-1], 1.0)
        found: FloatArray = from_here[np.searchsorted(self.dates, dates, side="right")]
        return found


def symbol_of(result: Json) -> str:
    """The ticker that an answer is about."""
    return str(result["meta"]["symbol"])


def parsed_chart(result: Json, request: FetchRequest, *, now: dt.datetime) -> Fetched:
    """Bars as traded, actions and facts of one result of the chart API.

    Parameters
    ----------
    result : mapping
        ``chart.result[0]`` of an answer that reaches to the present, since all splits must be known.
    request : FetchRequest
        What is kept of it, both ends included.
    now : datetime
        Aware; decides whether the last session has ended.

    Raises
    ------
    ValueError, KeyError, TypeError or pa.ArrowException
        If the answer is not what the chart API gives for daily bars.
    """
    meta = result["meta"]
    zone = str(meta["exchangeTimezoneName"])
    stamps = result.get("timestamp") or []
    quotes = _quotes(result, n_rows=len(stamps))
    if len(stamps) and meta.get("dataGranularity") != "1d":
        raise ValueError(f"bars of {meta.get('dataGranularity')} instead of 1d")
    dates = local_dates(stamps, zone)
    splits, dividends = _events(result, zone)
    later = splits.later(dates)
    traded = _as_traded(np.stack([quotes[name] for name in _PRICES]), later)
    columns = dict(zip(_PRICES, traded, strict=True))
    columns["volume"] = np.round(quotes["volume"] / later)
    columns["adjusted_close"] = quotes["adjusted_close"]
    # Yahoo sends rows without any value, for example where an action fell on a day without trade.
    has_value = np.any([~np.isnan(quotes[name]) for name in (*_PRICES, "adjusted_close")], axis=0)
    keep = (has_value | (quotes["volume"] > 0)) & _is_asked(dates, request)
    keep &= dates != _unfinished(meta, zone, now)
    order = np.flatnonzero(keep)[np.argsort(dates[keep], kind="stable")]
    return Fetched(
        bars=_bars(request.ticker, dates[order], {name: values[order] for name, values in columns.items()}),
        actions=_actions(request, splits, dividends),
        metadata=_facts(meta, zone),
    )


def _quotes(result: Json, *, n_rows: int) -> dict[str, FloatArray]:
    indicators = result["indicators"]
    (found,) = indicators["quote"]
    columns = {name: found.get(name) or [] for name in (*_PRICES, "volume")}
    adjusted = (indicators.get("adjclose") or [{}])[0].get("adjclose")
    columns["adjusted_close"] = [None] * n_rows if adjusted is None else adjusted
    for name, values in columns.items():
        if len(values) != n_rows:
            raise ValueError(f"{len(values)} values of {name} for {n_rows} timestamps")
    return {name: _numbers(values) for name, values in columns.items()}


def _numbers(values: Sequence[float | None]) -> FloatArray:
    numbers: FloatArray = pa.array(values, pa.float64()).to_numpy(zero_copy_only=False)
    return numbers


def _events(result: Json, zone: str) -> tuple[_Splits, list[tuple[np.datetime64, float]]]:
    """Splits, and dividends as Yahoo sends them."""
    events = result.get("events") or {}
    found = sorted((events.get("splits") or {}).values(), key=lambda split: split["date"])
    ratios = np.array([split["numerator"] / split["denominator"] for split in found], dtype=np.float64)
    if not np.all((ratios > 0) & np.isfinite(ratios)):
        raise ValueError("a split whose ratio is not a positive number")
    paid = sorted((events.get("dividends") or {}).values(), key=lambda dividend: dividend["date"])
    dates = local_dates([dividend["date"] for dividend in paid], zone)
    amounts = _numbers([dividend["amount"] for dividend in paid])
    splits = _Splits(dates=local_dates([split["date"] for split in found], zone), ratios=ratios)
    return splits, list(zip(dates, amounts.tolist(), strict=True))


def _unfinished(meta: Json, zone: str, now: dt.datetime) -> np.datetime64:
    """Date of the session that has begun and not ended, by the market hours of the answer; NaT when there is none."""
    hours = (meta.get("currentTradingPeriod") or {}).get("regular")
    if hours is None:
        return np.datetime64("NaT", "D")
    last_trade = meta.get("regularMarketTime") or 0
    has_ended = last_trade >= hours["end"] or now >= dt.datetime.fromtimestamp(hours["end"], dt.UTC) + _SETTLING
    if has_ended:
        return np.datetime64("NaT", "D")
    session: np.datetime64 = local_dates([hours["start"]], zone)[0]
    return session


def _as_traded(prices: FloatArray, later_splits: FloatArray) -> FloatArray:
    """Prices of shape (..., n_dates), multiplied by the splits after each date and rounded to what Yahoo knew."""
    traded = prices * later_splits
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = np.floor(np.log10(np.abs(traded)))
    is_split = later_splits != 1
    digits = np.where(is_split, _DIGITS_AFTER_SPLIT, _SIGNIFICANT_DIGITS)
    decimals = digits - 1 - np.nan_to_num(magnitude, neginf=0.0, posinf=0.0)
    decimals = np.where(is_split, np.minimum(decimals, _DECIMALS_AFTER_SPLIT), decimals)
    scale = _POWERS_OF_TEN[decimals.astype(np.int64) + _MOST_DECIMALS]
    rounded: FloatArray = np.round(traded * scale) / scale
    return rounded


def _is_asked(dates: DateArray, request: FetchRequest) -> NDArray[np.bool_]:
    asked = np.ones(dates.size, dtype=np.bool_)
    if request.start is not None:
        asked &= dates >= np.datetime64(request.start, "D")
    if request.end is not None:
        asked &= dates <= np.datetime64(request.end, "D")
    return asked


def _bars(ticker: str, dates: DateArray, columns: Mapping[str, FloatArray]) -> pa.Table:
    # from_pandas: NaN becomes null.
    values = {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
    return pa.table({"ticker": pa.repeat(ticker, dates.size), "date": dates, **values}, schema=BAR_SCHEMA)


def _actions(request: FetchRequest, splits: _Splits, dividends: Sequence[tuple[np.datetime64, float]]) -> pa.Table:
    """Splits, then dividends as they were paid, each in the order of their dates."""
    dates = np.array([date for date, _ in dividends], dtype="datetime64[D]")
    paid = np.round(np.array([amount for _, amount in dividends]) * splits.later(dates), 6)
    rows = [
        {"ticker": request.ticker, "ex_date": days[row].item(), "kind": kind, "value": float(values[row])}
        for kind, days, values in (("split", splits.dates, splits.ratios), ("dividend", dates, paid))
        for row in np.flatnonzero(_is_asked(days, request))
    ]
    return pa.Table.from_pylist(rows, schema=ACTION_SCHEMA)


def _facts(meta: Json, zone: str) -> dict[str, str]:
    facts = {ours: str(meta[theirs]) for ours, theirs in _FACTS.items() if meta.get(theirs)}
    first_trade = meta.get("firstTradeDate")
    if first_trade is not None:
        facts["first_trade_date"] = str(local_dates([first_trade], zone)[0])
    return facts
