"""Two sources side by side: bars from another source, compared with what is stored of the same tickers.

1. Bars of both are joined by ticker and session; sessions that only one has are counted.
2. Each field is equal (to nine digits), near (within the tolerance by which an ingest tells two bases apart) or
   different.
3. Where most of the closes that differ do so by one factor, that factor is named: a split that one source has adjusted
   for, a subunit, or another currency.

Nothing is written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.database.connection import transaction
from backend.database.verdict_store import stored_bars
from backend.ingest.pipeline import TickerOutcome, outcomes
from backend.ingest.quality.series import BoolArray, DateArray, FloatArray
from backend.ingest.sources.contract import BAR_SCHEMA, FetchRequest, PriceSource
from backend.services.ingest_basis import LEAST_OVERLAP, TOLERANCE
from backend.services.quality_report import tickers_of

FIELDS = ("open", "high", "low", "close", "volume", "adjusted_close")
#: Values that agree to this share are the same number, written with other digits.
_EQUAL = 1e-9
#: Share of the closes that differ which one factor must explain.
_MOST = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldComparison:
    """Sessions on which both sources have a value of a field: equal, near, different; and on which one has none."""

    field: str
    equal: int
    near: int
    different: int
    only_stored: int
    only_other: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """The other source's closes are `ratio` times the stored ones on `bars` sessions from `first` to `last`."""

    ratio: float
    bars: int
    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerComparison:
    """A ticker in both sources.

    Parameters
    ----------
    both, only_stored, only_other : int
        Sessions of both sources, and of one alone within the span that both cover.
    fields : tuple of FieldComparison
    factor : Factor or None
    failure : str or None
        Why the other source gave nothing; then every count is 0.
    """

    ticker: str
    both: int = 0
    only_stored: int = 0
    only_other: int = 0
    fields: tuple[FieldComparison, ...] = ()
    factor: Factor | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Every ticker of a universe that is stored, compared with another source; sorted by ticker."""

    universe: str
    source: str
    tickers: tuple[TickerComparison, ...]

    def share(self, field: str) -> dict[str, float]:
        """Share of the sessions of both sources on which a field is equal, near and different; empty without any."""
        found = [item for ticker in self.tickers for item in ticker.fields if item.field == field]
        counts = {kind: sum(getattr(item, kind) for item in found) for kind in ("equal", "near", "different")}
        total = sum(counts.values())
        return {kind: count / total for kind, count in counts.items()} if total else {}


async def reconcile(
    engine: AsyncEngine,
    key: str,
    source: PriceSource,
    *,
    today: dt.date,
    tickers: Sequence[str] | None = None,
    concurrency: int = 8,
) -> Reconciliation:
    """Compare the stored bars of a universe, or of some tickers of it, with a source. The caller closes the source."""
    async with transaction(engine) as connection:
        known = await tickers_of(connection, key)
    chosen = known if tickers is None else sorted(set(tickers) & set(known))
    requests = [FetchRequest(ticker=ticker, start=None, end=None) for ticker in chosen]
    found = []
    async with aclosing(outcomes(source, requests, concurrency=concurrency, today=today)) as ready:
        async for outcome in ready:
            async with transaction(engine) as connection:
                found.append(await _compared(connection, outcome))
    found.sort(key=lambda item: item.ticker)
    return Reconciliation(universe=key, source=source.name, tickers=tuple(found))


async def _compared(connection: AsyncConnection, outcome: TickerOutcome) -> TickerComparison:
    if outcome.failure is not None:
        return TickerComparison(ticker=outcome.ticker, failure=str(outcome.failure))
    stored = await stored_bars(connection, [outcome.ticker], BAR_SCHEMA)
    return compared(outcome.ticker, stored.bars, outcome.good)


def compared(ticker: str, stored: pa.Table, other: pa.Table) -> TickerComparison:
    """Compare bars of one ticker from two sources, each of BAR_SCHEMA with every date once."""
    ours, theirs = (_dates(table) for table in (stored, other))
    common, at_ours, at_theirs = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    if not common.size:
        return TickerComparison(ticker=ticker, only_stored=ours.size, only_other=theirs.size)
    span = (max(ours.min(), theirs.min()), min(ours.max(), theirs.max()))
    values = {name: (stored[name].to_numpy()[at_ours], other[name].to_numpy()[at_theirs]) for name in FIELDS}
    return TickerComparison(
        ticker=ticker,
        both=common.size,
        only_stored=_n_within(ours, span) - common.size,
        only_other=_n_within(theirs, span) - common.size,
        fields=tuple(_field(name, *pair) for name, pair in values.items()),
        factor=_factor(common, *values["close"]),
    )


def _dates(table: pa.Table) -> DateArray:
    found: DateArray = table["date"].to_numpy().astype("datetime64[D]")
    return found


def _n_within(dates: DateArray, span: tuple[np.datetime64, np.datetime64]) -> int:
    return int(np.count_nonzero((dates >= span[0]) & (dates <= span[1])))


def _field(name: str, ours: FloatArray, theirs: FloatArray) -> FieldComparison:
    has_ours, has_theirs = ~np.isnan(ours), ~np.isnan(theirs)
    has_both = has_ours & has_theirs
    equal, near = (_is_close(ours, theirs, share) & has_both for share in (_EQUAL, TOLERANCE))
    return FieldComparison(
        field=name,
        equal=int(equal.sum()),
        near=int((near & ~equal).sum()),
        different=int((has_both & ~near).sum()),
        only_stored=int((has_ours & ~has_theirs).sum()),
        only_other=int((has_theirs & ~has_ours).sum()),
    )


def _is_close(ours: FloatArray, theirs: FloatArray, share: float) -> BoolArray:
    found: BoolArray = np.abs(theirs - ours) <= share * np.abs(ours)
    return found


def _factor(dates: DateArray, ours: FloatArray, theirs: FloatArray) -> Factor | None:
    """The one ratio by which most of the closes that differ do so, or None; at least LEAST_OVERLAP must differ."""
    differs = ~_is_close(ours, theirs, TOLERANCE)
    if differs.sum() < LEAST_OVERLAP:
        return None
    ratios = theirs[differs] / ours[differs]
    ratio = float(np.median(ratios))
    fits = np.abs(ratios / ratio - 1) <= TOLERANCE
    if fits.mean() < _MOST:
        return None
    explained = dates[differs][fits]
    return Factor(ratio=ratio, bars=explained.size, first=explained[0].item(), last=explained[-1].item())
