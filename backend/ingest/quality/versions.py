"""Rows of which a source states when it published them: each version of a bar is checked among its own.

1. The n-th version of every date makes one series of bars, in which a date comes once.
2. Each series is checked like any other; two rows of one date and moment are duplicates.
3. What is good is put together again, sorted by date and moment.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.ingest.quality.bars import checked_bars
from backend.ingest.quality.quarantine import Checked, Quarantined
from backend.ingest.sources.contract import VINTAGE_SCHEMA


def checked(bars: pa.Table, *, ticker: str, today: date, is_closes_only: bool) -> Checked:
    """Part the bars of one ticker into those that may be stored and those that may not.

    Parameters
    ----------
    bars : pa.Table of BAR_SCHEMA or VINTAGE_SCHEMA
        The good ones come back in the same schema.
    ticker, today, is_closes_only
        As for `backend.ingest.quality.bars.checked_bars`. No bar is later than the day after its publication, either.
    """
    if "known_at" not in bars.column_names:
        return checked_bars(bars, ticker=ticker, today=today, is_closes_only=is_closes_only)
    numbers = version_numbers(bars)
    good: list[pa.Table] = []
    quarantined: list[Quarantined] = []
    for number in range(int(numbers.max(initial=-1)) + 1):
        version = bars.filter(pa.array(numbers == number))
        newest = _newest_dates(version, today)
        rows = version.drop_columns(["known_at"])
        found = checked_bars(rows, ticker=ticker, today=newest, is_closes_only=is_closes_only)
        good.append(_with_moments(found.good, version))
        quarantined += found.quarantined
    whole = pa.concat_tables([VINTAGE_SCHEMA.empty_table(), *good])
    return Checked(
        good=whole.sort_by([("date", "ascending"), ("known_at", "ascending")]), quarantined=tuple(quarantined)
    )


def version_numbers(bars: pa.Table) -> NDArray[np.intp]:
    """Of each row: which version of its ticker and date it is, counted from 0 in the order of publication.

    Rows of one moment are one version, and so are all rows without a date.
    """
    tickers = bars["ticker"].combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    dates = bars["date"].to_numpy().astype("datetime64[D]")
    moments = bars["known_at"].cast(pa.int64()).to_numpy()
    order = np.lexsort((moments, dates, tickers))
    is_new_bar = _differs(tickers[order]) | _differs(dates[order])
    is_new_version = is_new_bar | (_differs(moments[order]) & ~np.isnat(dates[order]))
    counted = np.cumsum(is_new_version)
    numbers = np.empty(order.size, dtype=np.intp)
    numbers[order] = counted - np.maximum.accumulate(np.where(is_new_bar, counted, 0))
    return numbers


def _newest_dates(version: pa.Table, today: date) -> NDArray[np.datetime64]:
    """Newest date that each row could have had when it was published."""
    published: NDArray[np.datetime64] = version["known_at"].to_numpy().astype("datetime64[D]")
    newest: NDArray[np.datetime64] = np.minimum(published, np.datetime64(today, "D"))
    return newest


def _differs(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Whether each value is another one than that before it; the first is. Missing dates are equal."""
    differs = np.ones(values.size, dtype=np.bool_)
    differs[1:] = values[1:] != values[:-1]
    if values.dtype.kind == "M":
        differs[1:] &= ~(np.isnat(values[1:]) & np.isnat(values[:-1]))
    return differs


def _with_moments(good: pa.Table, version: pa.Table) -> pa.Table:
    dates = version["date"].to_numpy().astype("datetime64[D]")
    # Of two rows of one date and moment either tells the moment.
    order = np.argsort(dates, kind="stable")
    rows = order[np.searchsorted(dates[order], good["date"].to_numpy().astype("datetime64[D]"))]
    return good.append_column(VINTAGE_SCHEMA.field("known_at"), version["known_at"].take(pa.array(rows)))
