"""Pre-registration: a spec is frozen at a moment, and what comes after it is kept apart for good.

1. A request is resolved to a spec; all of it but its end, snapshots and engine is frozen under the hash of just that.
2. An extension runs the frozen spec up to the newest snapshot. It is a backtest like any other, and no further trial.
3. Sessions dated after the UTC date on which it was frozen are out of sample, the others in sample.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy.ext.asyncio import AsyncEngine

from aws.object_store import ObjectStore
from aws.s3_cache import read_table
from backend.database.backtests import find_backtest, get_backtest
from backend.database.connection import transaction
from backend.database.preregistrations import (
    PreregistrationRecord,
    add_preregistration,
    add_run,
    get_preregistration,
    list_preregistrations,
    runs_of,
)
from backend.services.backtests import BacktestRequest, resolved_spec, run_spec
from backend.services.clock import utc_now
from backend.services.errors import RequestError
from strategy.backtest.design import frozen_id, frozen_spec
from strategy.backtest.spec import BacktestSpec
from strategy.errors import StrategyError

Clock: TypeAlias = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Figures of the sessions on one side of the moment: `probabilistic_sharpe` of a ratio above zero.

    `sharpe` is per session, not annualised; None where the returns do not vary.
    """

    first: dt.date
    last: dt.date
    n_returns: int
    total_return: float
    max_drawdown: float
    sharpe: float | None
    probabilistic_sharpe: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A frozen spec with its extensions, newest first, and the two samples of the newest; None: no session yet."""

    record: PreregistrationRecord
    backtest_ids: list[str]
    in_sample: Sample | None
    out_of_sample: Sample | None


async def preregister(
    engine: AsyncEngine, store: ObjectStore, request: BacktestRequest, *, reason: str, clock: Clock = utc_now
) -> PreregistrationRecord:
    """Freeze a request; one that is frozen already keeps its moment. `RequestError` for a field that would move."""
    for name in ("end", "snapshot", "fx_snapshot"):
        if (value := getattr(request, name)) is not None:
            raise RequestError(name, str(value), "moves on with each extension; leave it out")
    spec = await resolved_spec(engine, store, request)
    record = PreregistrationRecord(
        id=frozen_id(spec),
        spec=frozen_spec(spec),
        strategy=spec.strategy,
        universe=spec.universe,
        reason=reason,
        frozen_at=clock(),
    )
    async with transaction(engine) as connection:
        await add_preregistration(connection, record)
        return await get_preregistration(connection, record.id)


async def extend(
    engine: AsyncEngine, store: ObjectStore, preregistration_id: str, *, clock: Clock = utc_now
) -> Registered:
    """Run a frozen spec up to the newest snapshot; harmless to repeat.

    Raises
    ------
    UnknownPreregistrationError
        If nothing is frozen under this id.
    RequestError
        If the strategy or a default has changed, so that it would no longer be the spec that was frozen.
    """
    async with transaction(engine) as connection:
        record = await get_preregistration(connection, preregistration_id)
    spec = await resolved_spec(engine, store, _request(record.spec))
    if frozen_id(spec) != record.id:
        version = record.spec["strategy_version"]
        reason = f"was frozen with version {version} of {record.strategy}, which has changed since; register it anew"
        raise RequestError("preregistration_id", record.id, reason)
    async with transaction(engine) as connection:
        is_there = await find_backtest(connection, spec.backtest_id) is not None
    if not is_there:
        await run_spec(engine, store, spec, origin="preregistration", design=record.id, clock=clock)
    async with transaction(engine) as connection:
        await add_run(connection, record.id, spec.backtest_id, clock())
    return await registered(engine, store, record.id)


async def extend_all(engine: AsyncEngine, store: ObjectStore, universe: str) -> dict[str, str]:
    """Extend every frozen spec of a universe; one that cannot be does not hold up the others.

    Returns the outcome by id: that of the newest backtest, or why there is none.
    """
    async with transaction(engine) as connection:
        ids = [record.id for record in await list_preregistrations(connection) if record.universe == universe]
    outcomes = {}
    for preregistration_id in ids:
        try:
            outcomes[preregistration_id] = (await extend(engine, store, preregistration_id)).backtest_ids[0]
        except (RequestError, StrategyError) as error:
            outcomes[preregistration_id] = f"not extended: {error}"
    return outcomes


async def registered(engine: AsyncEngine, store: ObjectStore, preregistration_id: str) -> Registered:
    """A frozen spec as it stands; `UnknownPreregistrationError` when nothing is frozen under this id."""
    async with transaction(engine) as connection:
        record = await get_preregistration(connection, preregistration_id)
        runs = await runs_of(connection, preregistration_id)
        newest = await get_backtest(connection, runs[0]) if runs else None
    if newest is None:
        return Registered(record=record, backtest_ids=[], in_sample=None, out_of_sample=None)
    table = await read_table(store, newest.equity_key, ["session", "equity"])
    days, equity = table.column("session").to_pylist(), table.column("equity").to_pylist()
    frozen_on = record.frozen_at.astimezone(dt.UTC).date()
    split = sum(day <= frozen_on for day in days)
    return Registered(
        record=record,
        backtest_ids=runs,
        in_sample=_sample(days[:split], equity[:split]),
        # Its first return is earned from the last value in sample on.
        out_of_sample=_sample(days[max(split - 1, 0) :], equity[max(split - 1, 0) :]),
    )


def _request(frozen: dict[str, Any]) -> BacktestRequest:  # Any: JSON values
    moving = {"end": frozen["start"], "snapshot": "", "engine_version": 0}
    spec = BacktestSpec.from_json(json.dumps(frozen | moving))
    return BacktestRequest(
        strategy=spec.strategy,
        universe=spec.universe,
        parameters=spec.parameters,
        start=spec.start,
        costs=spec.costs,
        execution=spec.execution,
        benchmark=spec.benchmark,
        base_currency=spec.base_currency,
        constraints=spec.constraints,
    )


def _sample(days: list[dt.date], equity: list[float]) -> Sample | None:
    """Figures of an equity curve; None when it has no return."""
    if len(days) < 2:  # noqa: PLR2004  one value has no return
        return None
    import numpy as np  # noqa: PLC0415  cold start

    from strategy.backtest.metrics import max_drawdown, return_moments, session_returns  # noqa: PLC0415  cold start
    from strategy.validation.track_record import track_record  # noqa: PLC0415  cold start

    values = np.array(equity)
    record = track_record(return_moments(session_returns(values)))
    return Sample(
        first=days[1],
        last=days[-1],
        n_returns=record.n_returns,
        total_return=float(values[-1] / values[0] - 1),
        max_drawdown=max_drawdown(values).depth,
        sharpe=record.sharpe,
        probabilistic_sharpe=record.probabilistic_sharpe,
    )
