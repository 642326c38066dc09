"""Hand-made bars, and a vendor that gives them from memory."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from backend.ingest.errors import TickerNotFoundError
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, Fetched, FetchRequest

#: A Tuesday, a session of New York.
DAY = dt.date(2024, 1, 2)

Row = dict[str, Any]  # Any: a row of mixed columns


def bar(ticker: str = "A", date: dt.date = DAY, close: float = 11.0, **changes: object) -> Row:
    """A bar that breaks no rule, with the given values changed."""
    prices = {"open": close - 1, "high": close + 1, "low": close - 2, "close": close}
    return {"ticker": ticker, "date": date, **prices, "volume": 1000.0, "adjusted_close": close, **changes}


def bars_of(rows: Iterable[Row]) -> pa.Table:
    """The rows as a source gives them; a NaN stays one, and does not become null."""
    found = list(rows)
    columns = [pa.array([row[field.name] for row in found], field.type, from_pandas=False) for field in BAR_SCHEMA]
    return pa.Table.from_arrays(columns, schema=BAR_SCHEMA)


def to_merge(
    rows: Iterable[Row],
    *,
    moments: Sequence[dt.datetime] | None = None,
    source: str = "vendor",
    data_quality: str = "good",
    metadata: Mapping[str, object] | None = None,
) -> pa.Table:
    """The rows as `merge_bars` takes them, with the moments of publication where they are given."""
    bars = bars_of(rows)
    constants = {"source": source, "data_quality": data_quality, "metadata": json.dumps(metadata or {})}
    for name, value in constants.items():
        bars = bars.append_column(name, pa.repeat(value, bars.num_rows))
    return bars if moments is None else bars.append_column("known_at", pa.array(moments, pa.timestamp("us", "UTC")))


def actions_of(rows: Iterable[tuple[str, dt.date | None, str, float | None]]) -> pa.Table:
    """Splits and dividends: ticker, ex-date, kind, value."""
    return pa.Table.from_pylist(
        [dict(zip(ACTION_SCHEMA.names, row, strict=False)) for row in rows], schema=ACTION_SCHEMA
    )


class Vendor:
    """A source of the given rows and actions; a ticker with an exception fails with it. Remembers its requests.

    Parameters
    ----------
    rows : iterable of Row
        Under the ticker that they name.
    actions : table of ACTION_SCHEMA, optional
    failures : mapping of ticker to exception, optional
    """

    name = "vendor"

    def __init__(
        self,
        rows: Iterable[Row],
        *,
        actions: pa.Table | None = None,
        failures: Mapping[str, Exception] | None = None,
    ) -> None:
        self._rows = list(rows)
        self._actions = ACTION_SCHEMA.empty_table() if actions is None else actions
        self._failures = dict(failures or {})
        self.requests: list[FetchRequest] = []

    async def tickers(self) -> Sequence[str]:
        return sorted({str(row["ticker"]) for row in self._rows} | set(self._failures))

    async def fetch(self, request: FetchRequest) -> Fetched:
        self.requests.append(request)
        if request.ticker in self._failures:
            raise self._failures[request.ticker]
        rows = [row for row in self._rows if row["ticker"] == request.ticker]
        if not rows:
            raise TickerNotFoundError(self.name, request.ticker, "unknown")
        asked = [row for row in rows if request.start is None or row["date"] is None or row["date"] >= request.start]
        return Fetched(
            bars=bars_of(asked), actions=self._actions.filter(pc.equal(self._actions["ticker"], request.ticker))
        )

    async def close(self) -> None:
        return
