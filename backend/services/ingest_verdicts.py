"""Verdicts on fetched bars before they are stored.

A daily run fetches a few bars of each ticker, and most of them need no others to be judged. For the rest the stored
bars before them are read, and the splits of that time, so that the verdicts are those that a run that fetched
everything would come to.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.actions import actions as stored_actions
from backend.database.earlier_bars import earlier_bars, flagged_tickers
from backend.ingest.quality.rules import DEFAULT
from backend.ingest.quality.series import IntArray, Series, series_of
from backend.ingest.quality.verdicts import doubtful_tickers, verdict_columns, verdicts
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA
from backend.services.exchange_sessions import known_sessions, sessions_of
from backend.services.ingest_lots import Lot

#: Calendar days in which an exchange has `context_bars` sessions, holidays included.
_CONTEXT_DAYS = 2 * DEFAULT.context_bars


def judged_alone(lot: Lot, *, calendar: str | None = None) -> pa.Table:
    """The bars of a lot with the columns `data_quality` and `rules`, where nothing is stored of their tickers.

    Parameters
    ----------
    lot : Lot
    calendar : str, optional
        Exchange, ISO 10383 code; absent: missing sessions are not looked for.
    """
    series = series_of(lot.bars)
    sessions = known_sessions(calendar, series)
    bits = verdicts(series, lot.actions, sessions=sessions, is_wrong_currency=lot.is_wrong_currency)
    return _with_verdicts(lot.bars, bits)


async def judged(connection: AsyncConnection, lot: Lot, *, calendar: str | None = None) -> pa.Table:
    """The same beside what is stored."""
    bars, actions, series = lot.bars, lot.actions, series_of(lot.bars)
    firsts = _first_dates(series)
    # A verdict that stands must not fall only because the bar before was not fetched this time.
    doubtful = {*doubtful_tickers(series, actions), *await flagged_tickers(connection, firsts, days=_CONTEXT_DAYS)}
    earlier = await earlier_bars(
        connection, {ticker: firsts[ticker] for ticker in doubtful}, BAR_SCHEMA, days=_CONTEXT_DAYS
    )
    is_fetched = np.ones(bars.num_rows, dtype=np.bool_)
    if earlier:
        bars_with_earlier, is_fetched = _with_earlier(series, bars, earlier)
        series = series_of(bars_with_earlier, answers=is_fetched.astype(np.int64))
        actions = pa.concat_tables([actions, await _actions_of(connection, sorted(earlier), actions)])
    sessions = await sessions_of(calendar, series)
    bits: IntArray = verdicts(series, actions, sessions=sessions, is_wrong_currency=lot.is_wrong_currency)[is_fetched]
    return _with_verdicts(bars, bits)


def _with_verdicts(bars: pa.Table, bits: IntArray) -> pa.Table:
    quality, rules = verdict_columns(bits)
    return bars.append_column("data_quality", quality).append_column("rules", rules)


def _first_dates(series: Series) -> dict[str, dt.date]:
    days = series.days[series.starts].astype("datetime64[D]").tolist()
    return dict(zip(series.tickers, days, strict=True))


def _with_earlier(
    series: Series, bars: pa.Table, earlier: dict[str, pa.Table]
) -> tuple[pa.Table, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """The bars with the earlier ones of each ticker before them, and which of the rows were fetched."""
    parts, sizes = [], []
    for ticker, start, stop in zip(series.tickers, series.starts.tolist(), series.stops.tolist(), strict=True):
        before = earlier.get(ticker)
        if before is not None:
            parts.append(before)
            sizes.append((before.num_rows, False))
        parts.append(bars.slice(start, stop - start))
        sizes.append((stop - start, True))
    counts, flags = zip(*sizes, strict=True)
    return pa.concat_tables(parts), np.repeat(np.array(flags), np.array(counts))


async def _actions_of(connection: AsyncConnection, tickers: list[str], fetched: pa.Table) -> pa.Table:
    """Stored actions of the tickers, without those that were fetched as well."""
    came = set(zip(*(fetched[name].to_pylist() for name in ("ticker", "ex_date", "kind")), strict=True))
    rows = [
        {name: getattr(record, name) for name in ACTION_SCHEMA.names}
        for record in await stored_actions(connection, tickers)
        if (record.ticker, record.ex_date, record.kind) not in came
    ]
    return pa.Table.from_pylist(rows, schema=ACTION_SCHEMA)
