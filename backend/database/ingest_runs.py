"""Ingest runs, and what they could not take: quarantined bars and failed tickers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.column_types import JsonObject
from backend.database.errors import DatabaseError
from backend.database.models.ingest import IngestFailure, IngestRun
from backend.database.paging import newest_first

#: In the payload of a ticker that a later source gave: that source's name.
FELL_BACK_TO = "fell_back_to"


class UnknownRunError(DatabaseError):
    """No ingest run has this id."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(f"unknown ingest run {run_id!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """Rows of a run so far: rows_in = inserted + changed + unchanged + quarantined; `failed` counts tickers."""

    rows_in: int = 0
    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run: status is running, succeeded, partial, failed or interrupted; `lookback_days` None: everything anew."""

    id: str
    universe_key: str
    source: str
    status: str
    started_at: dt.datetime
    finished_at: dt.datetime | None = None
    lookback_days: int | None
    tickers: int
    rows_in: int = 0
    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    failed: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRecord:
    """A quarantined bar (its date, the rules it broke, its values), or a ticker that failed (date None).

    A ticker that failed has no payload; one that a later source gave has that source's name under FELL_BACK_TO.
    """

    ticker: str
    date: dt.date | None
    error_class: str
    reason: str
    payload: JsonObject


async def start_run(connection: AsyncConnection, run: RunRecord) -> None:
    """Record a run that begins."""
    await connection.execute(insert(IngestRun).values(asdict(run)))


async def record_counts(connection: AsyncConnection, run_id: str, counts: RunCounts) -> None:
    """Record how far the run is; belongs to the transaction that stores the rows."""
    await connection.execute(update(IngestRun).where(IngestRun.id == run_id).values(asdict(counts)))


async def finish_run(
    connection: AsyncConnection, run_id: str, *, status: str, finished_at: dt.datetime, error: str | None = None
) -> None:
    """Record how the run ended."""
    values = {"status": status, "finished_at": finished_at, "error": error}
    await connection.execute(update(IngestRun).where(IngestRun.id == run_id).values(values))


async def mark_interrupted(connection: AsyncConnection, universe_key: str, *, finished_at: dt.datetime) -> int:
    """Close the runs of a universe that a killed process left running; call it with the lease. Returns how many."""
    values = {"status": "interrupted", "finished_at": finished_at, "error": "the process ended before the run did"}
    running = and_(IngestRun.universe_key == universe_key, IngestRun.status == "running")
    return (await connection.execute(update(IngestRun).where(running).values(values))).rowcount


async def add_failures(connection: AsyncConnection, run_id: str, failures: Sequence[FailureRecord]) -> None:
    """Record what the run could not take."""
    if failures:
        await connection.execute(insert(IngestFailure), [{"run_id": run_id, **asdict(row)} for row in failures])


async def get_run(connection: AsyncConnection, run_id: str) -> RunRecord:
    """One run; `UnknownRunError` when there is none of this id."""
    query = select(IngestRun.__table__).where(IngestRun.id == run_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise UnknownRunError(run_id)
    return RunRecord(**row._mapping)


async def recent_runs(
    connection: AsyncConnection,
    universe_key: str | None = None,
    *,
    limit: int,
    before: tuple[dt.datetime, str] | None = None,
) -> list[RunRecord]:
    """Runs of one universe or of all, newest first, those behind the cursor `before` (started_at, id)."""
    query = newest_first(select(IngestRun.__table__), IngestRun.started_at, IngestRun.id, before=before, limit=limit)
    if universe_key is not None:
        query = query.where(IngestRun.universe_key == universe_key)
    return [RunRecord(**row._mapping) for row in (await connection.execute(query)).all()]


def reasons(failures: Sequence[FailureRecord]) -> tuple[dict[str, int], dict[str, int]]:
    """How often each rule was broken and each error class failed a ticker; and why others came from a later source."""
    failed: Counter[str] = Counter()
    fell_back: Counter[str] = Counter()
    for failure in failures:
        if FELL_BACK_TO in failure.payload:
            fell_back[failure.error_class] += 1
        elif failure.payload:
            failed.update(failure.reason.split(", "))
        else:
            failed[failure.error_class] += 1
    return dict(sorted(failed.items())), dict(sorted(fell_back.items()))


async def failures_of(connection: AsyncConnection, run_id: str) -> list[FailureRecord]:
    """What a run could not take, in the order in which it was recorded."""
    columns = (getattr(IngestFailure, name) for name in FailureRecord.__slots__)
    query = select(*columns).where(IngestFailure.run_id == run_id).order_by(IngestFailure.id)
    return [FailureRecord(**row._mapping) for row in (await connection.execute(query)).all()]
