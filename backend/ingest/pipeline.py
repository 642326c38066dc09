"""From requests to checked bars: fetch with retries, a bounded number at once, then quality control.

1. At most `concurrency` tickers are asked for at a time. One counts until it is taken, so that a slow taker slows the
   vendor down too, or until its source says that the vendor has answered; of those at most as many again are read, or
   wait to be taken.
2. A transient error of a source is tried again; a lasting one becomes the failure of that ticker, and of no other.
3. What came is parted into bars that may be stored and bars that may not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count

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
    fetches = _Fetches(source, requests, concurrency=concurrency, today=today, sleep=sleep)
    try:
        while True:
            fetches.start()
            if not fetches.under_way:
                return
            done, _ = await asyncio.wait(fetches.under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                outcome = task.result()
                fetches.take(task)
                yield outcome
    finally:
        await fetches.cancel()


class _Fetches:
    """The tickers that are asked for, read, or wait to be taken."""

    def __init__(
        self, source: PriceSource, requests: Iterable[FetchRequest], *, concurrency: int, today: date, sleep: Sleep
    ) -> None:
        self._source, self._waiting, self._concurrency = source, iter(requests), concurrency
        self._today, self._sleep = today, sleep
        self._numbers = count()
        #: Numbers of those that count as asked for.
        self._asked: set[int] = set()
        self.under_way: dict[asyncio.Task[TickerOutcome], int] = {}

    def start(self) -> None:
        """Ask for as many more as may be."""
        while len(self._asked) < self._concurrency and len(self.under_way) < 2 * self._concurrency:
            request = next(self._waiting, None)
            if request is None:
                return
            number = next(self._numbers)
            self._asked.add(number)
            self.under_way[asyncio.create_task(self._outcome(request, number))] = number

    def take(self, task: asyncio.Task[TickerOutcome]) -> None:
        """Note that an outcome is taken."""
        self._asked.discard(self.under_way.pop(task))

    async def cancel(self) -> None:
        """Begin nothing more, and cancel what is under way."""
        self._waiting = iter(())
        for task in self.under_way:
            task.cancel()
        await asyncio.gather(*self.under_way, return_exceptions=True)

    async def _outcome(self, request: FetchRequest, number: int) -> TickerOutcome:
        def answered() -> None:
            self._asked.discard(number)
            self.start()

        async def attempt() -> Fetched:
            self._asked.add(number)
            return await self._source.fetch(replace(request, answered=answered))

        try:
            fetched = await with_retry(attempt, sleep=self._sleep)
            _check_schemas(self._source, request, fetched)
        except SourceError as error:
            return TickerOutcome(ticker=request.ticker, source=self._source.name, failure=error)
        return _checked_outcome(self._source, request, fetched, self._today)


def _checked_outcome(source: PriceSource, request: FetchRequest, fetched: Fetched, today: date) -> TickerOutcome:
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
