"""From requests to checked bars: fetch with retries, a bounded number at once, then quality control.

1. At most `concurrency` tickers are fetched, or wait to be taken, at a time: a slow taker slows the vendor down too.
2. A transient error of a source is tried again; a lasting one becomes the failure of that ticker, and of no other.
3. What came is parted into bars that may be stored and bars that may not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

import pyarrow as pa

from backend.ingest.errors import BadDataError, SourceError
from backend.ingest.quality.actions import checked_actions
from backend.ingest.quality.quarantine import Quarantined
from backend.ingest.quality.versions import checked
from backend.ingest.retry import with_retry
from backend.ingest.sources.contract import (
    ACTION_SCHEMA,
    BAR_SCHEMA,
    VINTAGE_SCHEMA,
    Fetched,
    FetchRequest,
    PriceSource,
)

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerOutcome:
    """What became of one request.

    Parameters
    ----------
    ticker : str
    source : str
        Name of the source that gave the bars, or failed.
    n_rows : int
        Bars that the source gave: those in `good` and those in `quarantined`.
    good : pa.Table of BAR_SCHEMA or VINTAGE_SCHEMA
        Bars that may be stored, sorted by date.
    quarantined : tuple of Quarantined
        Bars that may not.
    actions : pa.Table of ACTION_SCHEMA
        Splits and dividends that may be stored.
    refused_actions : tuple of Quarantined
        Those that may not.
    metadata : dict
        What the source says of the ticker; BAR_METADATA names what of it is stored with every bar.
    passed_over : tuple of SourceError
        Why sources that were asked before did not give the bars.
    failure : SourceError or None
        Why there is nothing to store: the source failed, or not one of its bars passed.
    """

    ticker: str
    source: str
    n_rows: int = 0
    good: pa.Table = field(default_factory=BAR_SCHEMA.empty_table)
    quarantined: tuple[Quarantined, ...] = ()
    actions: pa.Table = field(default_factory=ACTION_SCHEMA.empty_table)
    refused_actions: tuple[Quarantined, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    passed_over: tuple[SourceError, ...] = ()
    failure: SourceError | None = None


async def outcomes(
    source: PriceSource,
    requests: Iterable[FetchRequest],
    *,
    concurrency: int,
    today: date,
    sleep: Sleep = asyncio.sleep,
) -> AsyncGenerator[TickerOutcome, None]:
    """One outcome for each request, in the order in which they are ready.

    Close the iterator (`contextlib.aclosing`) to cancel what is under way. `SourceSettingsError`, such as a refused
    key, concerns every ticker and is raised.
    """
    waiting = iter(requests)
    under_way: set[asyncio.Task[TickerOutcome]] = set()
    try:
        while True:
            for request in islice(waiting, concurrency - len(under_way)):
                under_way.add(asyncio.create_task(_outcome(source, request, today=today, sleep=sleep)))
            if not under_way:
                return
            done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                outcome = task.result()
                under_way.discard(task)
                yield outcome
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _outcome(source: PriceSource, request: FetchRequest, *, today: date, sleep: Sleep) -> TickerOutcome:
    try:
        fetched = await with_retry(lambda: source.fetch(request), sleep=sleep)
        _check_schemas(source, request, fetched)
    except SourceError as error:
        return TickerOutcome(ticker=request.ticker, source=source.name, failure=error)
    given_by = fetched.source or source.name
    is_closes_only = fetched.metadata.get("fields") == "close"
    bars = checked(fetched.bars, ticker=request.ticker, today=today, is_closes_only=is_closes_only)
    actions = checked_actions(fetched.actions, ticker=request.ticker)
    return TickerOutcome(
        ticker=request.ticker,
        source=given_by,
        n_rows=fetched.bars.num_rows,
        good=bars.good,
        quarantined=bars.quarantined,
        actions=actions.good,
        refused_actions=actions.quarantined,
        metadata=fetched.metadata,
        passed_over=fetched.passed_over,
        failure=_nothing_passed(given_by, request, bars.quarantined) if bars.good.num_rows == 0 else None,
    )


def _check_schemas(source: PriceSource, request: FetchRequest, fetched: Fetched) -> None:
    bars = VINTAGE_SCHEMA if "known_at" in fetched.bars.column_names else BAR_SCHEMA
    for table, schema in ((fetched.bars, bars), (fetched.actions, ACTION_SCHEMA)):
        if table.schema.names != schema.names or table.schema.types != schema.types:
            raise BadDataError(source.name, request.ticker, f"columns {table.schema.names} of another schema")


def _nothing_passed(source: str, request: FetchRequest, quarantined: tuple[Quarantined, ...]) -> BadDataError | None:
    if not quarantined:
        return None
    reason = f"not one of its {len(quarantined)} bars passed; the first: {', '.join(quarantined[0].rules)}"
    return BadDataError(source, request.ticker, reason)
