"""One batch of a sweep: computed anywhere that reaches the cache, and the same bytes everywhere.

A process that computes many batches loads their panel once.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa

from aws.s3_cache import ObjectStore, open_cache, write_table
from backend.database.sweeps import BatchRecord
from backend.database.trials import TrialRecord
from backend.services.panels import SpecPanels, panels_of
from strategy.backtest.design import design_of
from strategy.backtest.spec import BacktestSpec
from strategy.backtest.trials import Trial, run_trials
from strategy.errors import LookaheadError, StrategyError
from strategy.panel import PricePanel
from strategy.registry import find_strategy
from strategy.sweeps.batches import batches
from strategy.sweeps.spec import SweepSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOrder:
    """A batch to compute: plain values, so that it travels to another process."""

    sweep_id: str
    sweep: bytes
    number: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDone:
    """What is to be stored of a batch: its row, and its lines of the ledger."""

    batch: BatchRecord
    trials: tuple[TrialRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheAddress:
    """Where the cache is, for a process that opens it anew."""

    url: str
    local_copy: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    """A point that cannot be run, and why."""

    spec: BacktestSpec
    reason: str


def compute_batch(address: CacheAddress, order: BatchOrder, created_at: dt.datetime) -> BatchDone:
    """Compute a batch in a process of its own."""
    store = open_cache(address.url, local_copy=address.local_copy)
    return asyncio.run(computed_batch(store, _kept_panels(address, order), order, created_at))


async def computed_batch(
    store: ObjectStore, panels: SpecPanels, order: BatchOrder, created_at: dt.datetime
) -> BatchDone:
    """Run the trials of a batch, write its tables to the cache, and tell what is to be stored."""
    sweep = _sweep(order.sweep)
    specs = batches(specs_of(order.sweep), order.size)[order.number]
    began = process_time()
    outcomes = await asyncio.to_thread(run_each, panels, specs)
    seconds = process_time() - began
    trials = [outcome for outcome in outcomes if isinstance(outcome, Trial)]
    equity_key = await write_table(store, _equity_table(panels.panel, sweep.base, trials))
    trials_key = await write_table(store, _trials_table(outcomes, order.number * order.size))
    batch = BatchRecord(
        sweep_id=order.sweep_id,
        number=order.number,
        trials_key=trials_key,
        equity_key=equity_key,
        n_trials=len(specs),
        seconds=seconds,
        created_at=created_at,
    )
    return BatchDone(batch=batch, trials=tuple(_line(trial, equity_key, created_at) for trial in trials))


def run_each(panels: SpecPanels, specs: Sequence[BacktestSpec]) -> list[Trial | _Refused]:
    """Run trials together, or each for itself where one of them cannot be run.

    Raises
    ------
    LookaheadError
        If a trial sees the future: then none of them can be trusted.
    """
    strategy = find_strategy(specs[0].strategy)
    try:
        return list(run_trials(panels.panel, specs, strategy, decided_on=panels.decided_on))
    except LookaheadError:
        raise
    except StrategyError as error:
        if len(specs) == 1:
            return [_Refused(spec=specs[0], reason=str(error))]
        return [outcome for spec in specs for outcome in run_each(panels, [spec])]


@lru_cache(maxsize=2)
def specs_of(sweep: bytes) -> tuple[BacktestSpec, ...]:
    """Every trial of a sweep, in order."""
    spec = _sweep(sweep)
    found = spec.expansion(find_strategy(spec.base.strategy))
    return tuple(spec.trial(parameters) for parameters in found.parameters)


@lru_cache(maxsize=2)
def _sweep(sweep: bytes) -> SweepSpec:
    return SweepSpec.from_json(sweep)


_panels: dict[str, SpecPanels] = {}


def _kept_panels(address: CacheAddress, order: BatchOrder) -> SpecPanels:
    """The panels of the last sweep, where this is it: one at a time, since they may be most of the memory."""
    if order.sweep_id not in _panels:
        _panels.clear()
        store = open_cache(address.url, local_copy=address.local_copy)
        _panels[order.sweep_id] = asyncio.run(panels_of(store, _sweep(order.sweep).base))
    return _panels[order.sweep_id]


def _equity_table(panel: PricePanel, base: BacktestSpec, trials: Sequence[Trial]) -> pa.Table:
    """Sessions, and the growth of 1 in a column for each trial, named by its backtest id."""
    sessions = panel.sessions[
        (panel.sessions >= np.datetime64(base.start)) & (panel.sessions <= np.datetime64(base.end))
    ]
    columns = {trial.spec.backtest_id: np.concatenate([[1.0], np.cumprod(1 + trial.returns)]) for trial in trials}
    return pa.table({"session": pa.array(sessions), **columns})


def _trials_table(outcomes: Sequence[Trial | _Refused], first: int) -> pa.Table:
    """A line for each trial: its number, id, parameters, figures; and why it could not be run, where it could not."""
    rows = [_row(first + number, outcome) for number, outcome in enumerate(outcomes)]
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def _row(number: int, outcome: Trial | _Refused) -> dict[str, Any]:  # Any: cells of mixed types
    spec = outcome.spec
    figures = {it.key: it.value for it in outcome.metrics} if isinstance(outcome, Trial) else {}
    return {
        "trial": number,
        "backtest_id": spec.backtest_id,
        "parameters": json.dumps(dict(spec.parameters), sort_keys=True),
        "refused": outcome.reason if isinstance(outcome, _Refused) else None,
        **figures,
    }


def _line(trial: Trial, equity_key: str, created_at: dt.datetime) -> TrialRecord:
    moments = trial.moments
    return TrialRecord(
        backtest_id=trial.spec.backtest_id,
        design=design_of(trial.spec),
        strategy=trial.spec.strategy,
        universe=trial.spec.universe,
        origin="sweep",
        n_returns=moments.n,
        mean=_finite(moments.mean),
        std=_finite(moments.std),
        skewness=_finite(moments.skewness),
        kurtosis=_finite(moments.kurtosis),
        equity_key=equity_key,
        equity_column=trial.spec.backtest_id,
        created_at=created_at,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
