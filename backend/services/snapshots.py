"""Build the snapshot of a universe from the database.

1. Members, actions and the clock of the bars, as known at the moment asked for.
2. When the current snapshot already has all of that, it is the answer.
3. Otherwise one dense block per span; a block that is in the cache already is not written again.
4. The manifest; without `as_of` the universe's ref moves to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyarrow as pa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from aws.blocks import StoredBlocks, joined_spans, store_blocks
from aws.facts import inlined
from aws.manifest import Manifest, day_number
from aws.object_store import ObjectStore, Ref
from aws.s3_cache import write_table
from aws.snapshots import current_ref, load_manifest, parted_sessions, publish, snapshot_of, store_manifest
from backend.database.actions import ActionRecord, actions
from backend.database.bar_reader import DataClock, data_clock, read_span, session_days
from backend.database.connection import transaction
from backend.database.flagged_bars import flagged_bars
from backend.database.universes import UniverseRecord, get_universe, members
from backend.services.errors import EmptyUniverseError
from strategy.universe import Membership

_VALUES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotReport:
    """A snapshot, and whether it is another one than before."""

    snapshot_id: str
    universe: str
    as_of: dt.datetime
    is_new: bool
    n_sessions: int
    n_tickers: int
    n_bars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    universe: UniverseRecord
    stays: Sequence[Membership]
    actions: Sequence[ActionRecord]
    tickers: Sequence[str]
    clock: DataClock
    known_at: dt.datetime


async def build_snapshot(
    engine: AsyncEngine,
    store: ObjectStore,
    universe_key: str,
    *,
    as_of: dt.datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SnapshotReport:
    """Build the snapshot of a universe as known at `as_of` (None: now).

    The same facts give the same snapshot, whenever it is built. With `as_of` the ref stays where it is.

    Raises
    ------
    UnknownUniverseError, EmptyUniverseError
        If there is no such universe, or no bar of it was known.
    """
    since = await current_ref(store, universe_key)
    async with transaction(engine) as connection:
        facts = await _facts(connection, universe_key, as_of)
        if as_of is None and (current := await _unchanged(store, facts, since)):
            return current
        # Pinned to the newest fact just seen: what an ingest commits meanwhile belongs to the next snapshot.
        days, blocks = await _blocks(connection, store, facts, as_of or facts.known_at, progress)
        suspects = await _suspects(connection, store, facts, as_of or facts.known_at)
    tickers, spans = joined_spans(blocks)
    manifest = Manifest(
        universe=universe_key,
        currency=facts.universe.currency,
        benchmark=facts.universe.benchmark,
        as_of=facts.known_at,
        n_bars=facts.clock.n_bars,
        quality=facts.clock.quality,
        days=tuple(day_number(day) for day in days),
        tickers=tickers,
        spans=spans,
        tables={
            "actions": inlined(_actions_table(facts.actions)),
            "members": inlined(_members_table(facts.stays)),
            **suspects,
        },
    )
    if as_of is None:
        snapshot_id, is_new = await publish(store, manifest, since=since)
    else:
        snapshot_id, is_new = await store_manifest(store, manifest), False
    return _report(snapshot_id, manifest, is_new=is_new)


async def _facts(connection: AsyncConnection, universe_key: str, as_of: dt.datetime | None) -> _Facts:
    universe = await get_universe(connection, universe_key, as_of=as_of)
    stays, members_known_at = await members(connection, universe_key, as_of=as_of)
    # The benchmark has prices in the panel, too, without being a member.
    tickers = sorted({stay.ticker for stay in stays} | ({universe.benchmark} if universe.benchmark else set()))
    clock = await data_clock(connection, tickers, as_of=as_of)
    if clock.known_at is None:
        raise EmptyUniverseError(universe_key)
    found = await actions(connection, tickers, as_of=as_of)
    moments = [clock.known_at, *(action.known_at for action in found)]
    if members_known_at is not None:
        moments.append(members_known_at)
    return _Facts(universe=universe, stays=stays, actions=found, tickers=tickers, clock=clock, known_at=max(moments))


async def _unchanged(store: ObjectStore, facts: _Facts, current: Ref | None) -> SnapshotReport | None:
    """The current snapshot, when it knows exactly the facts there are: none newer, none fewer."""
    if current is None:
        return None
    snapshot_id = snapshot_of(current)
    manifest = await load_manifest(store, snapshot_id)
    same = (
        manifest.as_of == facts.known_at
        and manifest.n_bars == facts.clock.n_bars
        and dict(manifest.quality) == facts.clock.quality
        and manifest.currency == facts.universe.currency
        and manifest.benchmark == facts.universe.benchmark
    )
    return _report(snapshot_id, manifest, is_new=False) if same else None


async def _blocks(
    connection: AsyncConnection,
    store: ObjectStore,
    facts: _Facts,
    as_of: dt.datetime,
    progress: Callable[[int, int], None] | None,
) -> tuple[Sequence[dt.date], list[StoredBlocks]]:
    days = await session_days(connection, facts.tickers, as_of=as_of)
    parts = parted_sessions(days, len(facts.tickers))
    blocks = []
    for number, sessions in enumerate(parts):
        blocks.append(await _written(connection, store, facts, sessions, as_of))
        if progress is not None:
            progress(number + 1, len(parts))
    return days, blocks


async def _written(
    connection: AsyncConnection, store: ObjectStore, facts: _Facts, sessions: tuple[dt.date, ...], as_of: dt.datetime
) -> StoredBlocks:
    """One span, read year by year: rows of the database take many times the memory of what they become."""
    matrices = {name: np.full((len(sessions), len(facts.tickers)), np.nan) for name in _VALUES}
    axis = np.array(sessions, dtype="datetime64[D]")
    is_there = np.zeros(len(facts.tickers), dtype=np.bool_)
    for _, group in groupby(sessions, key=lambda day: day.year):
        year = tuple(group)
        bars = await read_span(connection, facts.tickers, year[0], year[-1], as_of=as_of)
        rows = np.searchsorted(axis, np.array(bars.dates, dtype="datetime64[D]"))
        columns = np.searchsorted(facts.tickers, bars.tickers)
        is_there[columns] = True
        for name, matrix in matrices.items():
            matrix[rows, columns] = bars.values[name]
    tickers = tuple(np.array(facts.tickers)[is_there].tolist())
    if not is_there.all():
        matrices = {name: matrix[:, is_there] for name, matrix in matrices.items()}
    return await store_blocks(store, sessions, tickers, matrices)


async def _suspects(
    connection: AsyncConnection, store: ObjectStore, facts: _Facts, as_of: dt.datetime
) -> dict[str, str]:
    """Key of the list of bars that break a rule. Only audits read it: it is no part of the manifest."""
    if not facts.clock.quality["suspect"]:
        return {}
    bars = await flagged_bars(connection, facts.tickers, as_of=as_of)
    suspect = [bar for bar in bars if bar.quality == "suspect"]
    table = pa.table(
        {
            "ticker": pa.array([bar.ticker for bar in suspect], pa.string()),
            "date": pa.array([bar.date for bar in suspect], pa.date32()),
            "rules": pa.array([",".join(bar.rules) for bar in suspect], pa.string()),
        }
    )
    return {"suspects": await write_table(store, table)}


def _actions_table(records: Sequence[ActionRecord]) -> pa.Table:
    types = {"ticker": pa.string(), "ex_date": pa.date32(), "kind": pa.string(), "value": pa.float64()}
    types |= {"new_symbol": pa.string()}
    # By date, so that a reader finds them nearly sorted; and one order, whatever that of the database.
    ordered = sorted(records, key=lambda it: (it.ex_date, it.ticker, it.kind))
    return pa.table({name: pa.array([getattr(it, name) for it in ordered], kind) for name, kind in types.items()})


def _members_table(stays: Sequence[Membership]) -> pa.Table:
    types = {"ticker": pa.string(), "start_date": pa.date32(), "end_date": pa.date32()}
    return pa.table({name: pa.array([getattr(stay, name) for stay in stays], kind) for name, kind in types.items()})


def _report(snapshot_id: str, manifest: Manifest, *, is_new: bool) -> SnapshotReport:
    return SnapshotReport(
        snapshot_id=snapshot_id,
        universe=manifest.universe,
        as_of=manifest.as_of,
        is_new=is_new,
        n_sessions=len(manifest.days),
        n_tickers=len(manifest.tickers),
        n_bars=manifest.n_bars,
    )
