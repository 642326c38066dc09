"""The same spec on what was known at another moment: which figures move, and which rewritten facts may move them.

The other run is a backtest like any other, with its own id. In the ledger it is the same choice, and no further trial.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from aws.object_store import ObjectStore
from aws.snapshots import load_manifest
from backend.database.backtests import find_document, get_backtest
from backend.database.connection import transaction
from backend.database.restatements import Restatement, restated_actions, restated_bars
from backend.services.errors import RequestError
from backend.services.market_data import member_tickers
from strategy.backtest.spec import ENGINE_VERSION, BacktestSpec

#: Rewritten bars that an answer lists.
MOST_BARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDifference:
    """A figure on both snapshots; `difference` is other less value, None where one of them is no number."""

    key: str
    unit: str
    value: float | str | None
    other: float | str | None
    difference: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestatedBacktest:
    """A stored backtest beside the same spec as known at another moment.

    `as_of` and `other_as_of` are the moments of the two snapshots. `changes` are facts up to the end of the spec that
    said something else at the earlier one, of at most `MOST_BARS` bars; `is_complete` says whether that is all.
    """

    id: str
    other_id: str
    as_of: dt.datetime
    other_as_of: dt.datetime
    metrics: list[MetricDifference]
    changes: list[Restatement]
    is_complete: bool


async def restated_backtest(
    engine: AsyncEngine, store: ObjectStore, backtest_id: str, *, as_of: dt.datetime
) -> RestatedBacktest:
    """Run a stored spec on the snapshot of another moment, or find it in the store.

    Raises
    ------
    UnknownBacktestError
        If it was never run.
    RequestError
        If it is the result of an older engine, so that the difference would not be that of the data.
    """
    from backend.services.snapshots import build_snapshot  # noqa: PLC0415  cold start

    async with transaction(engine) as connection:
        record = await get_backtest(connection, backtest_id)
    spec = BacktestSpec.from_json(json.dumps(record.spec))
    if spec.engine_version != ENGINE_VERSION:
        reason = f"is a result of engine {spec.engine_version}, and this is {ENGINE_VERSION}; run it again first"
        raise RequestError("backtest_id", backtest_id, reason)
    built = await build_snapshot(engine, store, spec.universe, as_of=as_of)
    other = replace(spec, snapshot=built.snapshot_id)
    known_at = (await load_manifest(store, spec.snapshot)).as_of
    changes, is_complete = await _changes(engine, spec, known_at, as_of)
    return RestatedBacktest(
        id=record.id,
        other_id=other.backtest_id,
        as_of=known_at,
        other_as_of=built.as_of,
        metrics=_differences(record.document, await _document(engine, store, other)),
        changes=changes,
        is_complete=is_complete,
    )


async def _document(engine: AsyncEngine, store: ObjectStore, spec: BacktestSpec) -> str:
    from backend.services.backtests import run_spec  # noqa: PLC0415  cold start

    async with transaction(engine) as connection:
        document = await find_document(connection, spec.backtest_id)
    return document or (await run_spec(engine, store, spec, origin="restatement")).document


async def _changes(
    engine: AsyncEngine, spec: BacktestSpec, one: dt.datetime, other: dt.datetime
) -> tuple[list[Restatement], bool]:
    """What was rewritten between two moments, up to the end of the spec, and whether that is all."""
    moments = {"earlier": min(one, other), "later": max(one, other)}
    async with transaction(engine) as connection:
        tickers = await member_tickers(connection, spec.universe)
        bars = await restated_bars(connection, tickers, **moments, after=None, limit=MOST_BARS + 1)
        actions = await restated_actions(connection, tickers, **moments)
    keys = list(dict.fromkeys((change.ticker, change.date) for change in bars))
    shown = set(keys[:MOST_BARS])
    found = [change for change in bars if (change.ticker, change.date) in shown] + list(actions)
    return [change for change in found if change.date <= spec.end], len(keys) <= MOST_BARS


def _differences(document: str, other: str) -> list[MetricDifference]:
    others = {metric["key"]: metric["value"] for metric in json.loads(other)["metrics"]}
    return [
        MetricDifference(
            key=metric["key"],
            unit=metric["unit"],
            value=metric["value"],
            other=others.get(metric["key"]),
            difference=_difference(metric["value"], others.get(metric["key"])),
        )
        for metric in json.loads(document)["metrics"]
    ]


def _difference(value: Any, other: Any) -> float | None:  # Any: JSON values
    are_numbers = isinstance(value, int | float) and isinstance(other, int | float)
    return other - value if are_numbers else None
