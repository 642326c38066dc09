"""Run a backtest once, and serve it from the store ever after.

1. Resolve the request to a spec: parameters in full, newest snapshot, sessions, costs. Its hash is the backtest id.
2. If that id is stored, its document is the answer.
3. Otherwise load the panel and compute; the tables go to the cache while the result is audited, then document and trial
   to the database, in one transaction. Whoever comes second with the same spec finds the document of the first.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from aws.gathering import gathered
from aws.manifest import Manifest
from aws.s3_cache import ObjectStore
from aws.snapshots import current_snapshot, load_manifest
from backend.database.backtests import find_document, store_backtest
from backend.database.connection import reading, transaction
from backend.database.universes import get_universe
from backend.services.base_currency import resolved_base
from backend.services.clock import utc_now
from backend.services.errors import NoSnapshotError, RequestError
from strategy.allocation.constraints import Constraints
from strategy.backtest.cost_presets import PRESETS
from strategy.backtest.costs import CostModel
from strategy.backtest.spec import ENGINE_VERSION, BacktestSpec, Execution
from strategy.errors import UnknownStrategyError
from strategy.registry import find_strategy, parsed_parameters

Origin: TypeAlias = Literal["http", "cli", "sweep", "restatement", "preregistration"]
Clock: TypeAlias = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRequest:
    """What a caller asks for; None is resolved from the universe and its snapshot."""

    strategy: str
    universe: str
    parameters: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values, validated by the strategy's model
    start: dt.date | None = None
    end: dt.date | None = None
    costs: CostModel = PRESETS["ten_bps"]
    execution: Execution = field(default_factory=Execution)
    benchmark: str | None = None
    snapshot: str | None = None
    base_currency: str | None = None
    fx_snapshot: str | None = None
    constraints: Constraints | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBacktest:
    """A backtest as it is served: `document` is JSON, the same bytes for every request of the same spec."""

    id: str
    document: str
    is_new: bool


async def resolved_spec(engine: AsyncEngine, store: ObjectStore, request: BacktestRequest) -> BacktestSpec:
    """The complete spec of a request; `RequestError` names the field that is wrong."""
    async with reading(engine) as connection:
        return await _resolved(connection, store, request)


async def _resolved(connection: AsyncConnection, store: ObjectStore, request: BacktestRequest) -> BacktestSpec:
    try:
        strategy = find_strategy(request.strategy)
    except UnknownStrategyError as error:
        raise RequestError("strategy", request.strategy, str(error)) from error
    parameters = parsed_parameters(strategy, dict(request.parameters))
    universe, (manifest, snapshot) = await gathered(
        get_universe(connection, request.universe), _manifest(store, request)
    )
    start, end = _sessions(manifest, request)
    base, fx_snapshot = await resolved_base(store, request.base_currency, request.fx_snapshot, manifest.currency)
    execution = request.execution.with_rebalance(request.execution.rebalance or strategy.rebalance)
    return BacktestSpec(
        strategy=strategy.key,
        strategy_version=strategy.version,
        parameters=parameters.model_dump(mode="json"),
        universe=universe.key,
        start=start,
        end=end,
        base_currency=base,
        costs=request.costs,
        execution=execution,
        benchmark=request.benchmark or universe.benchmark,
        snapshot=snapshot,
        engine_version=ENGINE_VERSION,
        fx_snapshot=fx_snapshot,
        constraints=request.constraints,
    )


async def run_backtest(
    engine: AsyncEngine, store: ObjectStore, request: BacktestRequest, *, origin: Origin, clock: Clock = utc_now
) -> StoredBacktest:
    """Run the request, or find it in the store."""
    async with reading(engine) as connection:
        spec = await _resolved(connection, store, request)
        document = await find_document(connection, spec.backtest_id)
    if document is not None:
        return StoredBacktest(id=spec.backtest_id, document=document, is_new=False)
    return await run_spec(engine, store, spec, origin=origin, clock=clock)


async def run_spec(
    engine: AsyncEngine,
    store: ObjectStore,
    spec: BacktestSpec,
    *,
    origin: Origin,
    design: str | None = None,
    clock: Clock = utc_now,
) -> StoredBacktest:
    """Run a complete spec and store it; whoever was first has written what is served.

    `design` is what the ledger counts the trial by; None: that of the spec.
    """
    # Here and not above: a repeated spec is answered without numpy and pyarrow.
    from backend.services.backtest_outcomes import computed, outcome_of  # noqa: PLC0415
    from backend.services.panels import panels_of  # noqa: PLC0415

    created_at = clock()
    manifest, panels = await load_manifest(store, spec.snapshot), await panels_of(store, spec)
    found = await asyncio.to_thread(computed, spec, panels)
    # Side by side; the rows come once the tables are there.
    _, outcome = await gathered(
        store.put_all(found.objects),
        asyncio.to_thread(outcome_of, found, manifest, panels, origin=origin, design=design, created_at=created_at),
    )
    async with transaction(engine) as connection:
        served = await store_backtest(connection, outcome.record, outcome.trial)
    return StoredBacktest(id=spec.backtest_id, document=served, is_new=served == outcome.record.document)


async def _manifest(store: ObjectStore, request: BacktestRequest) -> tuple[Manifest, str]:
    snapshot = request.snapshot or await current_snapshot(store, request.universe)
    if snapshot is None:
        raise NoSnapshotError(request.universe)
    manifest = await load_manifest(store, snapshot)
    if manifest.universe != request.universe:
        raise RequestError("snapshot", snapshot, f"is of universe {manifest.universe}, not {request.universe}")
    return manifest, snapshot


def _sessions(manifest: Manifest, request: BacktestRequest) -> tuple[dt.date, dt.date]:
    first, last = manifest.first, manifest.last
    start, end = request.start or first, request.end or last
    if start > end:
        raise RequestError("start", start.isoformat(), f"is after end {end.isoformat()}")
    if start > last or end < first:
        reason = f"the snapshot holds {first.isoformat()} to {last.isoformat()}"
        name = "start" if start > last else "end"
        raise RequestError(name, (start if name == "start" else end).isoformat(), reason)
    return max(start, first), min(end, last)
