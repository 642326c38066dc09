"""An audit: verdicts on whole stored series, as they are known now.

At ingest a bar is judged when it comes. What comes later can change that: prices that return to their level, a split
that becomes known, or a new rule. An audit judges every bar of a universe again, in hindsight, and stores verdicts that
differ as new versions, so that what was served before stays what it was.

Some rules need what is not stored. The currency is what the source said when it answered; adjusted closes mean the same
only within one answer, and bars written at one moment came in one; an exchange may have no calendar of that time. Where
an audit cannot judge, the verdict stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.database.actions import actions as stored_actions
from backend.database.bar_lock import lock_bars
from backend.database.column_types import JsonObject
from backend.database.connection import transaction
from backend.database.flagged_bars import RULES_KEY, FlaggedBar
from backend.database.universes import get_universe
from backend.database.verdict_store import NewVerdict, StoredBars, store_verdicts, stored_bars
from backend.ingest.quality.rules import OF_ADJUSTED_CLOSE
from backend.ingest.quality.series import IntArray, Series, series_of
from backend.ingest.quality.verdicts import rule_bits, verdict_columns, verdicts
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA
from backend.services.clock import utc_now
from backend.services.exchange_sessions import sessions_of
from backend.services.quality_report import QualityReport, report_of, tickers_of

#: Tickers judged at once: twenty years of them are some 250,000 bars.
_CHUNK = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What an audit found: the report on its own verdicts, how many differ from the stored ones, and were stored."""

    report: QualityReport
    n_bars: int
    n_changed: int
    n_stored: int


async def audit_universe(
    engine: AsyncEngine,
    key: str,
    *,
    is_stored: bool,
    clock: Callable[[], dt.datetime] = utc_now,
) -> Audit:
    """Judge every stored bar of a universe; `UnknownUniverseError` when there is none.

    Parameters
    ----------
    is_stored : bool
        Whether verdicts that differ from the stored ones become new versions of their bars.
    clock : callable
        Now, as an aware datetime.
    """
    async with transaction(engine) as connection:
        universe = await get_universe(connection, key)
        tickers = await tickers_of(connection, key)
    flagged: list[FlaggedBar] = []
    counts: dict[str, int] = {}
    n_changed = n_stored = 0
    for begin in range(0, len(tickers), _CHUNK):
        async with transaction(engine) as connection:
            found = await _judged(connection, tickers[begin : begin + _CHUNK], universe.calendar)
            n_changed += len(found.changed)
            if is_stored and found.changed:
                await lock_bars(connection)
                n_stored += await store_verdicts(connection, found.changed, now=clock())
        flagged += found.flagged
        counts |= found.counts
    report = report_of(key, flagged, counts, as_of=clock())
    return Audit(report=report, n_bars=sum(counts.values()), n_changed=n_changed, n_stored=n_stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    flagged: list[FlaggedBar]
    changed: list[NewVerdict]
    counts: dict[str, int]


async def _judged(connection: AsyncConnection, tickers: Sequence[str], calendar: str) -> _Judged:
    stored = await stored_bars(connection, tickers, BAR_SCHEMA)
    moments = pa.array(stored.known_at, pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    series = series_of(stored.bars, answers=moments)
    records = await stored_actions(connection, tickers)
    known = [{name: getattr(record, name) for name in ACTION_SCHEMA.names} for record in records]
    before = np.array([rule_bits(told.get(RULES_KEY, [])) for told in stored.metadata], dtype=np.int64)
    sessions = await sessions_of(calendar, series)
    bits = verdicts(series, pa.Table.from_pylist(known, schema=ACTION_SCHEMA), sessions=sessions)
    bits = _with_standing(series, bits, before, has_sessions=sessions is not None)
    sizes = (series.stops - series.starts).tolist()
    return _Judged(
        flagged=_flagged(stored, bits),
        changed=_changed(stored, bits, np.flatnonzero(bits != before)),
        counts=dict(zip(series.tickers, sizes, strict=True)),
    )


def _with_standing(series: Series, bits: IntArray, before: IntArray, *, has_sessions: bool) -> IntArray:
    """The new verdicts, with the stored ones where there is nothing to judge them by."""
    standing = rule_bits(["wrong_currency"] if has_sessions else ["wrong_currency", "missing_session"])
    of_adjusted, missing = rule_bits(list(OF_ADJUSTED_CLOSE)), rule_bits(["missing_action"])
    is_other = np.ones(bits.shape, dtype=np.bool_)
    np.not_equal(series.answers[1:], series.answers[:-1], out=is_other[1:])
    is_other[series.starts] = True
    kept = before & np.where(is_other, standing | of_adjusted, standing)
    # The same jump, of which the vendor's adjusted close once showed the reason.
    is_known_jump = (kept & missing) != 0
    found: IntArray = np.where(is_known_jump, bits & ~rule_bits(["jump_without_action"]), bits) | kept
    return found


def _flagged(stored: StoredBars, bits: IntArray) -> list[FlaggedBar]:
    rows = np.flatnonzero(bits)
    quality, rules = verdict_columns(bits[rows])
    bars = stored.bars.select(["ticker", "date", "close"]).take(rows).to_pylist()
    return [
        FlaggedBar(**bar, source=stored.sources[row], quality=name, rules=tuple(broken), known_at=stored.known_at[row])
        for row, bar, name, broken in zip(rows.tolist(), bars, quality.to_pylist(), rules.to_pylist(), strict=True)
    ]


def _changed(stored: StoredBars, bits: IntArray, rows: IntArray) -> list[NewVerdict]:
    quality, rules = verdict_columns(bits[rows])
    bars = stored.bars.select(["ticker", "date"]).take(rows).to_pylist()
    return [
        NewVerdict(
            **bar,
            known_at=stored.known_at[row],
            quality=name,
            metadata=_told(stored.metadata[row], broken),
            is_version=name != stored.qualities[row],
        )
        for row, bar, name, broken in zip(rows.tolist(), bars, quality.to_pylist(), rules.to_pylist(), strict=True)
    ]


def _told(metadata: JsonObject, rules: list[str]) -> JsonObject:
    others = {name: value for name, value in metadata.items() if name != RULES_KEY}
    return others | ({RULES_KEY: rules} if rules else {})
