"""Bars of one ticker from two sources must mean the same thing, or the later source is refused for that ticker.

A ticker has one row a session, whichever source it came from. Prices adjusted for splits beside prices as traded,
another currency, or another company under the same symbol would make one series of two: no rule on single bars can see
that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.models.market import Bar
from backend.ingest.errors import BadDataError
from backend.ingest.pipeline import TickerOutcome

#: Closes that differ by no more than this share are the same price: vendors round, and correct.
TOLERANCE = 0.01
#: Sessions that both sources must have before the two are compared.
LEAST_OVERLAP = 5


async def of_one_basis(connection: AsyncConnection, batch: Sequence[TickerOutcome]) -> list[TickerOutcome]:
    """The batch, with a failure in place of each ticker most of whose closes another source has otherwise.

    What a source gave in place of another leaves out sessions that are stored from elsewhere: it fills in, and does not
    restate.
    """
    stored: dict[str, dict[dt.date, tuple[float, str]]] = {}
    for source in sorted({outcome.source for outcome in batch}):
        given = [outcome for outcome in batch if outcome.source == source]
        stored |= await _closes_of_other_sources(connection, given, source)
    compared = [_compared(outcome, stored.get(outcome.ticker, {})) for outcome in batch]
    return [_filling_in(outcome, stored.get(outcome.ticker, {})) for outcome in compared]


async def _closes_of_other_sources(
    connection: AsyncConnection, batch: Sequence[TickerOutcome], source: str
) -> dict[str, dict[dt.date, tuple[float, str]]]:
    with_bars = [outcome for outcome in batch if outcome.good.num_rows]
    if not with_bars:
        return {}
    spans = [pc.min_max(outcome.good["date"]).as_py() for outcome in with_bars]
    query = select(Bar.ticker, Bar.date, Bar.close, Bar.source).where(
        Bar.ticker.in_([outcome.ticker for outcome in with_bars]),
        Bar.date.between(min(span["min"] for span in spans), max(span["max"] for span in spans)),
        Bar.source != source,
    )
    found: dict[str, dict[dt.date, tuple[float, str]]] = {}
    for row in (await connection.execute(query)).all():
        found.setdefault(row.ticker, {})[row.date] = (row.close, row.source)
    return found


def _filling_in(outcome: TickerOutcome, stored: Mapping[dt.date, tuple[float, str]]) -> TickerOutcome:
    if not (outcome.passed_over and stored):
        return outcome
    is_new = [date not in stored for date in outcome.good["date"].to_pylist()]
    return replace(outcome, good=outcome.good.filter(pa.array(is_new, pa.bool_())))


def _compared(outcome: TickerOutcome, stored: Mapping[dt.date, tuple[float, str]]) -> TickerOutcome:
    if not stored:
        return outcome
    dates, closes = outcome.good["date"].to_pylist(), outcome.good["close"].to_pylist()
    both = [(close, *stored[date]) for date, close in zip(dates, closes, strict=True) if date in stored]
    n_other = sum(abs(close / before - 1) > TOLERANCE for close, before, _ in both)
    if len(both) < LEAST_OVERLAP or n_other * 2 <= len(both):
        return outcome
    reason = (
        f"{n_other} of {len(both)} closes differ by more than {TOLERANCE:.0%} from those of source {both[0][2]!r}: "
        "adjusted prices, another currency or another company; give the ticker another name in one of the two"
    )
    failure = BadDataError(outcome.source, outcome.ticker, reason)
    return TickerOutcome(ticker=outcome.ticker, source=outcome.source, passed_over=outcome.passed_over, failure=failure)
