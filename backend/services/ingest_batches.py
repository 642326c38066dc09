"""Storing what an ingest run fetched: batch by batch, each in one transaction together with the run's counts."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.database.actions import ActionRecord, put_actions
from backend.database.bar_writer import MergeCounts, merge_bars, oldest_dates
from backend.database.connection import transaction
from backend.database.ingest_runs import FELL_BACK_TO, FailureRecord, RunCounts, RunRecord, add_failures, record_counts
from backend.database.leases import renew_lease
from backend.database.models import JsonObject
from backend.database.universes import put_members
from backend.ingest.errors import SourceError
from backend.ingest.pipeline import TickerOutcome
from backend.ingest.quality import Quarantined
from backend.ingest.quality.currency import is_wrong_currency
from backend.ingest.sources.contract import BAR_METADATA
from backend.services.ingest_basis import of_one_basis
from backend.services.ingest_verdicts import judged
from strategy.universe import Membership

#: Seconds that the lease of a universe holds after its owner was last heard of.
LEASE_TTL_S = 120.0
#: What `ingest_failures` calls a row that broke a rule.
_QUARANTINED = "BAD_DATA"


def lease_name(universe_key: str) -> str:
    """Name of the lease that one run of a universe holds at a time."""
    return f"ingest:{universe_key}"


@dataclass(slots=True, kw_only=True)
class BatchWriter:
    """Writes the batches of one run and keeps its counts; what a transaction did not commit is not counted.

    Parameters
    ----------
    engine : AsyncEngine
    run : RunRecord
        The run, already recorded; its id owns the lease of the universe.
    members : set of str
        Tickers that the universe has had; others become members from their first stored bar on.
    clock : callable
        Now, as an aware datetime.
    currency : str or None
        What the tickers are quoted in; bars of which the source states another currency are bad.
    """

    engine: AsyncEngine
    run: RunRecord
    members: set[str]
    clock: Callable[[], dt.datetime]
    currency: str | None = None
    counts: RunCounts = field(default_factory=RunCounts)
    n_actions: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[str] = field(default_factory=Counter)
    first_failure: str | None = None

    async def write(self, batch: Sequence[TickerOutcome]) -> None:
        """Store a batch, whole or not at all; `LeaseHeldError` when another run took the lease over."""
        async with transaction(self.engine) as connection:
            now = self.clock()
            name = lease_name(self.run.universe_key)
            # First, so that a run that lost its lease writes nothing, and SQLite takes its write lock at once.
            await renew_lease(connection, name, self.run.id, ttl_s=LEASE_TTL_S, now=now)
            batch = await of_one_basis(connection, batch)
            merged = await self._merge(connection, batch, now)
            joined = await self._join(connection, batch, now)
            n_actions = 0
            for source in sorted({outcome.source for outcome in batch}):
                given = [outcome for outcome in batch if outcome.source == source]
                n_actions += await put_actions(connection, _actions(given, now), source=source)
            await add_failures(connection, self.run.id, _failures(batch))
            counts = _added(self.counts, batch, merged)
            await record_counts(connection, self.run.id, counts)
        self.counts = counts
        self.members |= joined
        self.n_actions += n_actions
        for outcome in batch:
            self._note(outcome)

    async def _merge(
        self, connection: AsyncConnection, batch: Sequence[TickerOutcome], now: dt.datetime
    ) -> list[MergeCounts]:
        parts: dict[tuple[str, str], list[TickerOutcome]] = {}
        for outcome in batch:
            if outcome.good.num_rows:
                told = {name: outcome.metadata.get(name) for name in (*BAR_METADATA, "currency")}
                parts.setdefault((outcome.source, json.dumps(told)), []).append(outcome)
        return [await self._merge_part(connection, part, now) for part in parts.values()]

    async def _merge_part(
        self, connection: AsyncConnection, part: Sequence[TickerOutcome], now: dt.datetime
    ) -> MergeCounts:
        """Store the bars of tickers of whose prices one source says the same."""
        metadata = part[0].metadata
        kept = {name: metadata[name] for name in BAR_METADATA if name in metadata}
        bars = await judged(
            connection,
            pa.concat_tables([outcome.good for outcome in part]),
            pa.concat_tables([outcome.actions for outcome in part]),
            is_wrong_currency=is_wrong_currency(metadata.get("currency"), self.currency),
        )
        return await merge_bars(connection, bars, source=part[0].source, metadata=kept, known_at=now)

    async def _join(self, connection: AsyncConnection, batch: Sequence[TickerOutcome], now: dt.datetime) -> set[str]:
        new = [outcome.ticker for outcome in batch if outcome.ticker not in self.members]
        first = await oldest_dates(connection, new)
        stays = [Membership(ticker=ticker, start_date=date, end_date=None) for ticker, date in sorted(first.items())]
        if stays:
            await put_members(connection, self.run.universe_key, stays, known_at=now)
        return set(first)

    def _note(self, outcome: TickerOutcome) -> None:
        for row in (*outcome.quarantined, *outcome.refused_actions):
            self.reasons.update(row.rules)
        if outcome.failure is not None:
            self.reasons[outcome.failure.error_class] += 1
            self.first_failure = self.first_failure or str(outcome.failure)
        elif outcome.passed_over:
            self.fallbacks[outcome.passed_over[0].error_class] += 1


def _added(counts: RunCounts, batch: Sequence[TickerOutcome], merged: Sequence[MergeCounts]) -> RunCounts:
    n_rows = sum(outcome.n_rows for outcome in batch)
    n_quarantined = sum(len(outcome.quarantined) for outcome in batch)
    inserted, changed = sum(part.inserted for part in merged), sum(part.changed for part in merged)
    return RunCounts(
        rows_in=counts.rows_in + n_rows,
        inserted=counts.inserted + inserted,
        changed=counts.changed + changed,
        # Also what filled in for another source and was stored already, which never came to the merge.
        unchanged=counts.unchanged + n_rows - n_quarantined - inserted - changed,
        quarantined=counts.quarantined + n_quarantined,
        failed=counts.failed + sum(outcome.failure is not None for outcome in batch),
    )


def _actions(batch: Sequence[TickerOutcome], now: dt.datetime) -> list[ActionRecord]:
    return [ActionRecord(**row, known_at=now) for outcome in batch for row in outcome.actions.to_pylist()]


def _failures(batch: Sequence[TickerOutcome]) -> list[FailureRecord]:
    failures = []
    for outcome in batch:
        failures += [_set_aside(row) for row in (*outcome.quarantined, *outcome.refused_actions)]
        if outcome.failure is not None:
            failures.append(_ticker_failure(outcome.failure, {}))
        elif outcome.passed_over:
            failures.append(_ticker_failure(outcome.passed_over[0], {FELL_BACK_TO: outcome.source}))
    return failures


def _ticker_failure(error: SourceError, payload: JsonObject) -> FailureRecord:
    return FailureRecord(
        ticker=error.ticker, date=None, error_class=error.error_class, reason=error.reason, payload=payload
    )


def _set_aside(row: Quarantined) -> FailureRecord:
    return FailureRecord(
        ticker=row.ticker, date=row.date, error_class=_QUARANTINED, reason=", ".join(row.rules), payload=row.payload
    )
