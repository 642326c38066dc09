"""What is served of a sweep: its summary as one document, and its trials as a table."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from aws.s3_cache import ObjectStore, read_table
from backend.database.sweeps import BatchRecord, SweepRecord
from backend.services.sweeps.budgets import Price
from strategy.backtest.metrics import session_returns
from strategy.panel import FloatArray
from strategy.sweeps.spec import SweepSpec
from strategy.sweeps.summary import Doubt, Group, Summary, Walk, sharpe_ratios, summary_of

#: Sessions in a year, by which a Sharpe ratio a session is told as one a year.
_YEAR = 252
NOTE = (
    "The best of many trials looks good by luck alone. Read it only together with its probability of overfitting and "
    "its deflated Sharpe ratio."
)
WALK_NOTE = (
    "Each span is judged by the trial that was best on the sessions before it; what changing from one trial's holdings "
    "to another's would cost is not in it."
)


async def trials_table(store: ObjectStore, done: Sequence[BatchRecord]) -> pa.Table:
    """A line for each trial that is done, in order."""
    tables = [await read_table(store, batch.trials_key) for batch in done]
    return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})


def page_of(table: pa.Table, offset: int, limit: int) -> dict[str, list[Any]]:  # Any: JSON values
    """Rows `offset` to `offset + limit` as columns, the parameters as they are in a spec."""
    columns: dict[str, list[Any]] = table.slice(offset, limit).to_pydict()
    if "parameters" in columns:
        columns["parameters"] = [json.loads(text) for text in columns["parameters"]]
    return columns


def parquet_of(table: pa.Table) -> bytes:
    """The table as a Parquet file."""
    from pyarrow import parquet  # noqa: PLC0415  cold start

    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data


async def sweep_document(
    store: ObjectStore, sweep: SweepRecord, done: Sequence[BatchRecord], *, reached: str | None, price: Price
) -> str:
    """The document as JSON text: a pure function of the spec and of the batches that are done, but for `used`."""
    spec = SweepSpec.from_json(json.dumps(sweep.spec))
    table = await trials_table(store, done)
    equity, sessions = await _equity(store, done)
    rows = [row for row in table.to_pylist() if row["refused"] is None]
    seconds = sum(batch.seconds for batch in done)
    body: dict[str, Any] = {  # Any: JSON values
        "id": sweep.id,
        "spec": sweep.spec,
        "state": "complete" if reached is None else "budget reached",
        "reached": reached,
        "n_trials": sweep.n_trials,
        "n_done": table.num_rows,
        "n_refused": table.num_rows - len(rows),
        "used": {"seconds": seconds, "dollars": price.dollars(seconds)},
        "budget": sweep.budget,
        "n_sessions": len(sessions),
        "first_session": sessions[0] if sessions else None,
        "last_session": sessions[-1] if sessions else None,
        "note": NOTE,
    }
    parameters = [json.loads(row["parameters"]) for row in rows]
    returns = np.column_stack([session_returns(column) for column in equity]) if rows else np.empty((0, 0))
    axes = list(spec.space.axes)
    found = summary_of(returns, parameters, axes, walk=spec.walk_forward) if rows else None
    body |= _found(found, rows, sessions)
    body["data_hash"] = hashlib.sha256(_json(body).encode()).hexdigest()
    return _json(body)


async def _equity(store: ObjectStore, done: Sequence[BatchRecord]) -> tuple[list[FloatArray], list[str]]:
    """Growth of 1 of each trial, and the sessions that all of them have."""
    columns: list[FloatArray] = []
    sessions: list[str] = []
    for batch in done:
        table = await read_table(store, batch.equity_key)
        sessions = [value.isoformat() for value in table.column("session").to_pylist()]
        columns += [table.column(name).to_numpy() for name in table.column_names if name != "session"]
    return columns, sessions


def _found(found: Summary | None, rows: Sequence[Mapping[str, Any]], sessions: Sequence[str]) -> dict[str, Any]:
    """Best, stability and walk-forward as JSON. Any: JSON values."""
    if found is None or found.best is None or found.doubt is None:
        return {"best": None, "stability": [], "walk_forward": None}
    return {
        "best": _best(rows[found.best], found.doubt),
        "stability": [_group(group) for group in found.groups],
        "walk_forward": None if found.walk is None else _walk(found.walk, rows, sessions),
    }


def _best(row: Mapping[str, Any], doubt: Doubt) -> dict[str, Any]:  # Any: JSON values
    names = ("trial", "backtest_id", "parameters", "refused")
    return {
        "backtest_id": row["backtest_id"],
        "parameters": json.loads(row["parameters"]),
        "metrics": {name: value for name, value in row.items() if name not in names},
        "doubt": asdict(doubt),
    }


def _group(group: Group) -> dict[str, Any]:  # Any: JSON values
    ratios = {name: getattr(group, name) * math.sqrt(_YEAR) for name in ("least", "median", "most")}
    return {"axis": group.axis, "low": group.low, "high": group.high, "n_trials": group.n_trials} | ratios


def _walk(walk: Walk, rows: Sequence[Mapping[str, Any]], sessions: Sequence[str]) -> dict[str, Any]:  # Any: JSON
    chained = float(sharpe_ratios(walk.returns[:, np.newaxis])[0])
    return {
        "note": WALK_NOTE,
        "sharpe": _yearly(chained),
        "total_return": float(np.prod(1 + walk.returns) - 1),
        "n_sessions": int(walk.returns.size),
        "folds": [
            {
                # Return k is that of session k + 1, since the first session has none.
                "train": [sessions[row + 1] for row in fold.train],
                "test": [sessions[row + 1] for row in fold.test],
                "backtest_id": rows[fold.chosen]["backtest_id"],
                "parameters": json.loads(rows[fold.chosen]["parameters"]),
                "train_sharpe": _yearly(fold.train_sharpe),
                "test_sharpe": _yearly(fold.test_sharpe),
            }
            for fold in walk.folds
        ],
    }


def _yearly(ratio: float) -> float | None:
    return ratio * math.sqrt(_YEAR) if math.isfinite(ratio) else None


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
