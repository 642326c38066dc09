"""Rules on single rows: a bar that breaks one is set aside under the rule's name, and only that bar.

1. Each rule is one boolean array over the rows.
2. Among the rows that break none, the first of each date stays; later ones are duplicates.
3. What is left satisfies every CHECK of `market_data`; the rest is returned with its values as they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.ingest.quality.quarantine import Checked, Quarantined, as_json
from backend.ingest.quality.rules import QUARANTINES
from backend.ingest.sources.contract import BAR_SCHEMA

_PRICES = ("open", "high", "low", "close")
_VALUES = (*_PRICES, "volume", "adjusted_close")
_PRICE_LIMIT, _VOLUME_LIMIT = 1e15, 1e18
_FIRST_DATE = np.datetime64("1600-01-01", "D")

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
DateArray = NDArray[np.datetime64]


def checked_bars(bars: pa.Table, *, ticker: str, today: date | DateArray, is_closes_only: bool) -> Checked:
    """Part the bars of one ticker into those that may be stored and those that may not.

    Parameters
    ----------
    bars : pa.Table of BAR_SCHEMA
        In any order; NaN and null both mean: no value.
    ticker : str
        The ticker that was asked for.
    today : date or ndarray of shape (n_rows,), datetime64[D]
        Today in UTC, or the day on which each row was published; a bar of the day after is still taken, since Sydney is
        ahead.
    is_closes_only : bool
        Whether the source has no open, high and low.
    """
    dates: DateArray = bars["date"].to_numpy().astype("datetime64[D]")
    values = {name: bars[name].to_numpy().astype(np.float64) for name in _VALUES}
    broken = _broken_dates(dates, today) | _broken_values(values, is_closes_only=is_closes_only)
    broken["wrong_ticker"] = ~_is_equal(bars["ticker"], ticker)
    bad: BoolArray = np.logical_or.reduce(list(broken.values()))
    first_of = _first_of_date(dates, np.flatnonzero(~bad))
    broken["duplicate"] = np.zeros(bad.shape, dtype=np.bool_)
    broken["duplicate"][list(first_of)] = True
    bad |= broken["duplicate"]
    quarantined = []
    for row in np.flatnonzero(bad).tolist():
        payload = _payload(bars, row)
        if row in first_of:
            payload["is_identical"] = payload == _payload(bars, first_of[row])
        rules = tuple(rule for rule in QUARANTINES if rule in broken and broken[rule][row])
        quarantined.append(Quarantined(ticker=ticker, date=_as_date(dates[row]), rules=rules, payload=payload))
    return Checked(good=_good(ticker, dates, values, ~bad), quarantined=tuple(quarantined))


def _is_equal(names: pa.ChunkedArray, name: str) -> BoolArray:
    found: BoolArray = pc.fill_null(pc.equal(names, name), False).to_numpy()
    return found


def _broken_dates(dates: DateArray, today: date | DateArray) -> dict[str, BoolArray]:
    return {
        "missing_date": np.isnat(dates),
        "impossible_date": dates < _FIRST_DATE,
        "future_date": dates > np.asarray(today, dtype="datetime64[D]") + 1,
    }


def _broken_values(values: Mapping[str, FloatArray], *, is_closes_only: bool) -> dict[str, BoolArray]:
    """Rules on values; a comparison with NaN is false, as a CHECK on NULL is not violated."""
    high, low = values["high"], values["low"]
    limits = {name: _VOLUME_LIMIT if name == "volume" else _PRICE_LIMIT for name in _VALUES}
    required = ("close",) if is_closes_only else _PRICES
    return {f"missing_{name}": np.isnan(values[name]) for name in required} | {
        "infinite_value": np.logical_or.reduce([np.abs(values[name]) >= limits[name] for name in _VALUES]),
        "non_positive_price": np.logical_or.reduce([values[name] <= 0 for name in _PRICES]),
        "high_below_low": high < low,
        "open_outside_range": (values["open"] < low) | (values["open"] > high),
        "close_outside_range": (values["close"] < low) | (values["close"] > high),
        "negative_volume": values["volume"] < 0,
    }


def _first_of_date(dates: DateArray, rows: NDArray[np.intp]) -> dict[int, int]:
    """For each of the rows whose date came before among them: the row where it came first."""
    order = rows[np.argsort(dates[rows], kind="stable")]
    repeats = np.flatnonzero(dates[order[1:]] == dates[order[:-1]]) + 1
    first: dict[int, int] = {}
    for position in repeats.tolist():
        before = int(order[position - 1])
        first[int(order[position])] = first.get(before, before)
    return first


def _good(ticker: str, dates: DateArray, values: Mapping[str, FloatArray], keep: BoolArray) -> pa.Table:
    rows = np.flatnonzero(keep)
    rows = rows[np.argsort(dates[rows], kind="stable")]
    columns: list[pa.Array[Any]] = [pa.repeat(ticker, rows.size), pa.array(dates[rows], pa.date32())]
    # from_pandas: NaN becomes null.
    columns += [pa.array(values[name][rows], pa.float64(), from_pandas=True) for name in _VALUES]
    return pa.Table.from_arrays(columns, schema=BAR_SCHEMA)


def _payload(bars: pa.Table, row: int) -> dict[str, Any]:  # Any: JSON values
    values = {name: bars[name][row].as_py() for name in BAR_SCHEMA.names if name != "date"}
    day = np.datetime_as_string(bars["date"].slice(row, 1).to_numpy().astype("datetime64[D]"))[0]
    return {"date": None if day == "NaT" else str(day)} | {name: as_json(value) for name, value in values.items()}


def _as_date(day: np.datetime64) -> date | None:
    found: object = day.astype(object)
    return found if isinstance(found, date) else None
