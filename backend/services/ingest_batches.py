"""Storing what an ingest run fetched: batch by batch, each in one transaction together with the run's counts."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow.compute as pc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.database.actions import ActionRecord, put_actions
from backend.database.bar_edges import oldest_dates
from backend.database.bar_lock import lock_bars
from backend.database.bar_writer import MergeResult, insert_bars, merge_bars
from backend.database.column_types import JsonObject
from backend.database.connection import transaction
from backend.database.ingest_runs import FELL_BACK_TO, FailureRecord, RunCounts, RunRecord, add_failures, record_counts
from backend.database.instruments import add_instruments
from backend.database.leases import renew_lease
from backend.database.universes import put_members
from backend.ingest.errors import SourceError
from backend.ingest.pipeline import TickerOutcome
from backend.ingest.quality.quarantine import Quarantined, as_json
from backend.ingest.sources.contract import BAR_SCHEMA, VINTAGE_SCHEMA
from backend.services.identities import Identities, by_instrument
from backend.services.ingest_ahead import PreparedBatch, new_bars_of
from backend.services.ingest_basis import of_one_basis
from backend.services.ingest_lots import lots_of, rows_of
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
    identities : Identities
        Whose bars come under which symbol. Bars of which the source states another currency than the universe's are
        bad; its calendar says which sessions they must have.
    members : set of str
        Instruments that the universe has had, and its benchmark; others become members from their first stored bar on.
    takes_members : bool
        Whether they do: False where the members come from a list.
    clock : callable
        Now, as an aware datetime.
    """

    engine: AsyncEngine
    run: RunRecord
    identities: Identities
    members: set[str]
    clock: Callable[[], dt.datetime]
    takes_members: bool = True
    counts: RunCounts = field(default_factory=RunCounts)
    n_actions: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[str] = field(default_factory=Counter)
    first_failure: str | None = None

    async def prepared(self, batch: Sequence[TickerOutcome]) -> PreparedBatch:
        """A batch with all that can be done for it before its transaction, of which there may be one under way."""
        outcomes = by_instrument([part for outcome in batch for part in self.identities.identified(outcome)])
        new = None
        is_new = not any(outcome.ticker in self.identities.newest for outcome in outcomes)
        if is_new and self.engine.dialect.name == "postgresql":
            new = await asyncio.to_thread(new_bars_of, outcomes, self.identities.universe)
        return PreparedBatch(outcomes=outcomes, instruments=self.identities.take_new(), new=new)

    async def write(self, prepared: PreparedBatch) -> None:
        """Store a batch, whole or not at all; `LeaseHeldError` when another run took the lease over."""
        async with transaction(self.engine) as connection:
            now = self.clock()
            name = lease_name(self.run.universe_key)
            # First, so that a run that lost its lease writes nothing, and SQLite takes its write lock at once.
            await renew_lease(connection, name, self.run.id, ttl_s=LEASE_TTL_S, now=now)
            # Runs of other universes may be about to register the same instruments and actions.
            await lock_bars(connection)
            await add_instruments(connection, [replace(record, known_at=now) for record in prepared.instruments])
            batch, merged = await self._merged(connection, prepared, now)
            late = [_late(row) for row in merged.late.to_pylist()]
            joined = await self._join(connection, batch, now)
            n_actions = 0
            for source in sorted({outcome.source for outcome in batch}):
                given = [outcome for outcome in batch if outcome.source == source]
                n_actions += await put_actions(connection, _actions(given, now), source=source)
            await add_failures(connection, self.run.id, [*_failures(batch), *(_set_aside(row) for row in late)])
            counts = _added(self.counts, batch, merged)
            await record_counts(connection, self.run.id, counts)
        self.counts = counts
        self.members |= joined
        self.n_actions += n_actions
        for outcome in batch:
            self._note(outcome)
        for row in late:
            self.reasons.update(row.rules)

    async def _merged(
        self, connection: AsyncConnection, prepared: PreparedBatch, now: dt.datetime
    ) -> tuple[list[TickerOutcome], MergeResult]:
        """The batch, its bars stored, and what became of them."""
        if prepared.new is not None:
            merged = await insert_bars(connection, prepared.new, known_at=now)
            if merged is not None:
                return prepared.outcomes, merged
        batch = await of_one_basis(connection, prepared.outcomes)
        universe = self.identities.universe
        lots = lots_of(batch, universe)
        bars = rows_of(lots, [await judged(connection, lot, calendar=universe.calendar) for lot in lots])
        if "known_at" in bars.column_names:
            # Of several sources not every one states when it published.
            place = bars.schema.get_field_index("known_at")
            bars = bars.set_column(place, VINTAGE_SCHEMA.field("known_at"), bars["known_at"].fill_null(now))
        return batch, await merge_bars(connection, bars, known_at=now)

    async def _join(self, connection: AsyncConnection, batch: Sequence[TickerOutcome], now: dt.datetime) -> set[str]:
        if not self.takes_members:
            return set()
        new = [outcome.ticker for outcome in batch if outcome.ticker not in self.members]
        first = await oldest_dates(connection, new)
        by_moment: dict[dt.datetime, list[Membership]] = {}
        for outcome in batch:
            if outcome.ticker in first:
                stay = Membership(ticker=outcome.ticker, start_date=first[outcome.ticker], end_date=None)
                by_moment.setdefault(_first_known(outcome) or now, []).append(stay)
        for moment, stays in sorted(by_moment.items()):
            await put_members(connection, self.run.universe_key, stays, known_at=moment)
        return set(first)

    def _note(self, outcome: TickerOutcome) -> None:
        for row in (*outcome.quarantined, *outcome.refused_actions):
            self.reasons.update(row.rules)
        if outcome.failure is not None:
            self.reasons[outcome.failure.error_class] += 1
            self.first_failure = self.first_failure or str(outcome.failure)
        elif outcome.passed_over:
            self.fallbacks[outcome.passed_over[0].error_class] += 1


def _first_known(outcome: TickerOutcome) -> dt.datetime | None:
    """When the source published the first bar; None where it does not say."""
    if "known_at" not in outcome.good.column_names:
        return None
    first: dt.datetime | None = pc.min(outcome.good["known_at"]).as_py()
    return first


def _late(row: Mapping[str, Any]) -> Quarantined:  # Any: a row of mixed columns
    payload = {name: as_json(row[name]) for name in (*BAR_SCHEMA.names, "known_at")}
    return Quarantined(ticker=row["ticker"], date=row["date"], rules=("late_vintage",), payload=payload)


def _added(counts: RunCounts, batch: Sequence[TickerOutcome], merged: MergeResult) -> RunCounts:
    n_rows = sum(outcome.n_rows for outcome in batch)
    n_quarantined = sum(len(outcome.quarantined) for outcome in batch) + merged.late.num_rows
    return RunCounts(
        rows_in=counts.rows_in + n_rows,
        inserted=counts.inserted + merged.inserted,
        changed=counts.changed + merged.changed,
        # Also what filled in for another source and was stored already, which never came to the merge.
        unchanged=counts.unchanged + n_rows - n_quarantined - merged.inserted - merged.changed,
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
