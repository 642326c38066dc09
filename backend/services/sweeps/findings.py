"""What the batches of a sweep found: its trials side by side, and the summary of them."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from aws.s3_cache import ObjectStore, read_table
from backend.database.sweeps import BatchRecord
from backend.services.panels import SpecPanels, panels_of
from strategy.backtest.metrics import session_returns
from strategy.backtest.run import BacktestResult
from strategy.panel import FloatArray
from strategy.registry import find_strategy
from strategy.sweeps.replays import replays
from strategy.sweeps.spec import SweepSpec
from strategy.sweeps.summary import Summary, summary_of
from strategy.sweeps.walks import Walk, charged, held_per_equity, sessions_needed

#: Tables fetched at the same time.
_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class DoneTrials:
    """Trials that are done and could be run, in order; not slotted, because `parameters` are parsed once.

    Parameters
    ----------
    rows : list of dict
        Line of each in the table of trials.
    sessions : list of str
        Sessions of the backtests, in ISO form.
    returns : ndarray of shape (n_sessions - 1, n_trials)
        Of the sessions after the first.
    """

    rows: list[dict[str, Any]]  # Any: cells of mixed types
    sessions: list[str]
    returns: FloatArray

    @cached_property
    def parameters(self) -> list[dict[str, Any]]:  # Any: JSON values
        """Parameters of each, as they are in its spec."""
        return [json.loads(row["parameters"]) for row in self.rows]

    @property
    def yearly(self) -> float:
        """What a Sharpe ratio a session is multiplied by to be one a year, as in the figures of the trials."""
        return math.sqrt(self.rows[0]["periods_per_year"])


async def trials_table(store: ObjectStore, done: Sequence[BatchRecord]) -> pa.Table:
    """A line for each trial that is done, in order."""
    tables = [table async for table in _tables(store, [batch.trials_key for batch in done])]
    return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})


async def done_trials(store: ObjectStore, done: Sequence[BatchRecord], table: pa.Table) -> DoneTrials:
    """Trials of the batches whose lines are in `table`."""
    columns: list[FloatArray] = []
    sessions: list[str] = []
    async for equity in _tables(store, [batch.equity_key for batch in done]):
        sessions = [value.isoformat() for value in equity.column("session").to_pylist()]
        names = [name for name in equity.column_names if name != "session"]
        columns += [session_returns(equity.column(name).to_numpy()) for name in names]
    return DoneTrials(
        rows=[row for row in table.to_pylist() if row["refused"] is None],
        sessions=sessions,
        returns=np.column_stack(columns) if columns else np.empty((0, 0)),
    )


async def _tables(store: ObjectStore, keys: Sequence[str]) -> AsyncIterator[pa.Table]:
    """Tables in order, some of them fetched at the same time: there may be a thousand, each a request to S3."""
    for first in range(0, len(keys), _AT_ONCE):
        for table in await asyncio.gather(*(read_table(store, key) for key in keys[first : first + _AT_ONCE])):
            yield table


async def summary_of_trials(store: ObjectStore, spec: SweepSpec, trials: DoneTrials) -> Summary:
    """The summary of one trial or more; a pure function of them and of the spec."""
    panels = await panels_of(store, spec.base)
    return await asyncio.to_thread(_summary, panels, spec, trials)


def _summary(panels: SpecPanels, spec: SweepSpec, trials: DoneTrials) -> Summary:
    found = summary_of(
        trials.returns,
        trials.parameters,
        list(spec.space.axes),
        benchmark=session_returns(next(_replayed(panels, spec, trials, [0])).benchmark.equity),
        generator=np.random.default_rng(spec.seed),
        walk=spec.walk_forward,
    )
    return found if found.walk is None else replace(found, walk=_charged(panels, spec, trials, found.walk))


def _charged(panels: SpecPanels, spec: SweepSpec, trials: DoneTrials, walk: Walk) -> Walk:
    """The walk with its changes of holdings charged; holdings are not stored, so the trials it chose are run again."""
    needed, first_row = sessions_needed(walk), 0
    held: dict[tuple[int, int], FloatArray] = {}
    for (trial, sessions), result in zip(needed.items(), _replayed(panels, spec, trials, list(needed)), strict=True):
        first_row = int(result.simulation.rows[0])
        held |= {(trial, session): held_per_equity(result.simulation, session) for session in sessions}
    cash = spec.base.execution.initial_cash
    return charged(walk, held, panels.panel, spec.base.costs, first_row=first_row, initial_cash=cash)


def _replayed(
    panels: SpecPanels, spec: SweepSpec, trials: DoneTrials, numbers: Sequence[int]
) -> Iterator[BacktestResult]:
    specs = [spec.trial(trials.parameters[number]) for number in numbers]
    return replays(panels.panel, specs, find_strategy(spec.base.strategy), decided_on=panels.decided_on)
