"""What is served of a sweep: its summary as one document, and its trials as a table."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from aws.s3_cache import ObjectStore
from backend.database.sweeps import BatchRecord, SweepRecord
from backend.services.sweeps.budgets import Price
from backend.services.sweeps.findings import DoneTrials, done_trials, summary_of_trials, trials_table
from strategy.sweeps.ratios import sharpe_ratios
from strategy.sweeps.spec import SweepSpec
from strategy.sweeps.summary import N_BOOTSTRAP, Doubt, Group, Summary
from strategy.sweeps.walks import Walk

NOTE = (
    "The best of many trials looks good by luck alone. Read it only together with its probability of overfitting, its "
    "deflated Sharpe ratio, and the p-value of no trial being better than the benchmark."
)
WALK_NOTE = (
    "Each span is judged by the trial that was best on the sessions before it. Entering it, and changing from one "
    "trial's holdings to another's, is traded at the close before it and charged by the costs of the spec."
)

#: Reasons of refusals that are told: one may name the value of its trial, and then there are as many as trials.
_MOST_REASONS = 5


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
    trials = await done_trials(store, done, table)
    seconds = sum(batch.seconds for batch in done)
    body: dict[str, Any] = {  # Any: JSON values
        "id": sweep.id,
        "spec": sweep.spec,
        "state": "complete" if reached is None else "budget reached",
        "reached": reached,
        "n_trials": sweep.n_trials,
        "n_done": table.num_rows,
        "n_refused": table.num_rows - len(trials.rows),
        "refusals": _refusals(table),
        "used": {"seconds": seconds, "dollars": price.dollars(seconds)},
        "budget": sweep.budget,
        "n_sessions": len(trials.sessions),
        "first_session": trials.sessions[0] if trials.sessions else None,
        "last_session": trials.sessions[-1] if trials.sessions else None,
        "note": NOTE,
    }
    found = await summary_of_trials(store, spec, trials) if trials.rows else None
    body |= _found(found, trials, spec)
    body["data_hash"] = hashlib.sha256(_json(body).encode()).hexdigest()
    return _json(body)


def _refusals(table: pa.Table) -> list[dict[str, Any]]:  # Any: JSON values
    """The most frequent reasons for which trials were refused."""
    reasons = table.column("refused").drop_null().to_pylist() if table.num_columns else []
    return [{"reason": reason, "n_trials": n} for reason, n in Counter(reasons).most_common(_MOST_REASONS)]


def _found(found: Summary | None, trials: DoneTrials, spec: SweepSpec) -> dict[str, Any]:
    """Best, stability and walk-forward as JSON. Any: JSON values."""
    if found is None or found.best is None or found.doubt is None:
        return {"best": None, "stability": [], "walk_forward": None}
    return {
        "best": _best(trials, found.best) | {"doubt": _doubt(trials, found.doubt, spec)},
        "stability": [_group(group, trials.yearly) for group in found.groups],
        "walk_forward": None if found.walk is None else _walk(found.walk, trials),
    }


def _best(trials: DoneTrials, best: int) -> dict[str, Any]:  # Any: JSON values
    names = ("trial", "backtest_id", "parameters", "refused")
    row = trials.rows[best]
    return {
        "backtest_id": row["backtest_id"],
        "parameters": trials.parameters[best],
        "metrics": {name: value for name, value in row.items() if name not in names},
    }


def _doubt(trials: DoneTrials, doubt: Doubt, spec: SweepSpec) -> dict[str, Any]:  # Any: JSON values
    figures = asdict(doubt)
    tested = figures.pop("superior")
    if tested is not None:
        tested["backtest_id"] = trials.rows[tested.pop("best")]["backtest_id"]
        tested |= {"benchmark": spec.base.benchmark or "universe_buy_and_hold", "n_samples": N_BOOTSTRAP}
    return figures | {"superior_ability": tested}


def _group(group: Group, yearly: float) -> dict[str, Any]:  # Any: JSON values
    ratios = {name: getattr(group, name) * yearly for name in ("least", "median", "most")}
    return {"axis": group.axis, "low": group.low, "high": group.high, "n_trials": group.n_trials} | ratios


def _walk(walk: Walk, trials: DoneTrials) -> dict[str, Any]:  # Any: JSON
    rows, sessions = trials.rows, trials.sessions
    chained = float(sharpe_ratios(walk.returns[:, np.newaxis])[0])
    return {
        "note": WALK_NOTE,
        "sharpe": _finite(chained * trials.yearly),
        "total_return": float(np.prod(1 + walk.returns) - 1),
        "n_sessions": int(walk.returns.size),
        "folds": [
            {
                # Return k is that of session k + 1, since the first session has none.
                "train": [sessions[row + 1] for row in fold.train],
                "test": [sessions[row + 1] for row in fold.test],
                "backtest_id": rows[fold.chosen]["backtest_id"],
                "parameters": trials.parameters[fold.chosen],
                "train_sharpe": _finite(fold.train_sharpe * trials.yearly),
                "test_sharpe": _finite(fold.test_sharpe * trials.yearly),
                "turnover": fold.turnover,
                "cost": fold.cost,
            }
            for fold in walk.folds
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
