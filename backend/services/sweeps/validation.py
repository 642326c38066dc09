"""A sweep put to the test, as far as it is done: do good parameters stand together, does choosing them hold."""

from __future__ import annotations

import asyncio
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from aws.s3_cache import ObjectStore
from backend.database.sweeps import SweepRecord, done_batches, get_sweep
from backend.services.errors import RequestError
from backend.services.sweeps.findings import DoneTrials, done_trials, trials_table
from strategy.panel import FloatArray
from strategy.sweeps.grids import gridded
from strategy.validation.cross_validation import CrossValidation, cross_validated
from strategy.validation.monte_carlo import QUANTILES
from strategy.validation.splits import combinatorial_purged
from strategy.validation.stability import stability_map

#: Splits of a cross-validation: what they look up is bounded by so many times the sessions of the sweep.
MOST_SPLITS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidationPlan:
    """How sessions are parted, as `combinatorial_purged` has it; one test group is purged k-fold."""

    n_groups: int
    n_test_groups: int
    purge: int
    embargo: int


async def sweep_stability(
    connection: AsyncConnection, store: ObjectStore, sweep_id: str, metric: str
) -> dict[str, Any]:  # Any: JSON values
    """Map of a figure, of which more is better, over the grid of a sweep.

    Raises
    ------
    UnknownSweepError
        If there is none of this id.
    RequestError, ParameterError, StatisticError
        If no trial is done, they are no grid, or the figure is defined for none of them.
    """
    sweep = await get_sweep(connection, sweep_id)
    table = await trials_table(store, await done_batches(connection, sweep_id))
    rows = [row for row in table.to_pylist() if row["refused"] is None]
    _require_trials(sweep, len(rows))
    trials = DoneTrials(rows=rows, sessions=[], returns=np.empty((0, 0)))
    grid = gridded(trials.parameters, list(sweep.spec["space"]["axes"]))
    values = np.array([np.nan if row[metric] is None else row[metric] for row in rows], dtype=np.float64)
    found = stability_map(grid.laid_out(values))
    stable = int(grid.trials[found.most_stable])
    columns = {"value": grid.laid_out(values), "mean": found.mean, "minimum": found.minimum, "plateau": found.plateau}
    return {
        "id": sweep.id,
        "metric": metric,
        "n_trials": sweep.n_trials,
        "n_done": table.num_rows,
        "axes": [{"name": name, "values": list(values)} for name, values in grid.axes.items()],
        "backtest_ids": [None if it < 0 else rows[it]["backtest_id"] for it in grid.trials.ravel().tolist()],
        **{name: _listed(column) for name, column in columns.items()},
        "most_stable": {"backtest_id": rows[stable]["backtest_id"], "parameters": trials.parameters[stable]},
    }


async def sweep_cross_validation(
    connection: AsyncConnection, store: ObjectStore, sweep_id: str, plan: CrossValidationPlan
) -> dict[str, Any]:  # Any: JSON values
    """Choosing the best trial, judged out of sample along every path of a purged cross-validation.

    Raises
    ------
    UnknownSweepError
        If there is none of this id.
    RequestError, StatisticError, InsufficientHistoryError
        If no trial is done, there would be more than `MOST_SPLITS`, or the plan leaves too few sessions.
    """
    n_splits = math.comb(plan.n_groups, plan.n_test_groups)
    if n_splits > MOST_SPLITS:
        reason = f"of {plan.n_groups} groups make {n_splits:,} splits, at most {MOST_SPLITS:,}: test fewer at a time"
        raise RequestError("n_test_groups", plan.n_test_groups, reason)
    sweep = await get_sweep(connection, sweep_id)
    done = await done_batches(connection, sweep_id)
    table = await trials_table(store, done)
    trials = await done_trials(store, done, table)
    _require_trials(sweep, len(trials.rows))
    found = await asyncio.to_thread(_cross_validated, trials, plan)
    return {
        "id": sweep.id,
        "plan": asdict(plan),
        "n_trials": sweep.n_trials,
        "n_done": table.num_rows,
        "n_splits": n_splits,
        "train_sharpe": _quantiles(found.train_sharpe * trials.yearly),
        "test_sharpe": _quantiles(found.test_sharpe * trials.yearly),
        "paths": (found.path_sharpe * trials.yearly).tolist(),
        "path_sharpe": _quantiles(found.path_sharpe * trials.yearly),
        "probability_of_loss": float((found.path_sharpe < 0).mean()),
        "chosen": _choices(found, trials),
    }


def _cross_validated(trials: DoneTrials, plan: CrossValidationPlan) -> CrossValidation:
    return cross_validated(trials.returns, combinatorial_purged(len(trials.returns), **asdict(plan)))


def _choices(found: CrossValidation, trials: DoneTrials) -> list[dict[str, Any]]:  # Any: JSON values
    """Trials that were chosen, the most often chosen first."""
    chosen, counts = np.unique(found.chosen, return_counts=True)
    return [
        {
            "backtest_id": trials.rows[int(chosen[place])]["backtest_id"],
            "parameters": trials.parameters[int(chosen[place])],
            "n_splits": int(counts[place]),
        }
        for place in np.argsort(-counts, kind="stable")
    ]


def _quantiles(ratios: FloatArray) -> dict[str, float]:
    found = np.quantile(ratios, QUANTILES)
    return {f"{share:g}": float(value) for share, value in zip(QUANTILES, found, strict=True)}


def _listed(values: FloatArray) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.ravel().tolist()]


def _require_trials(sweep: SweepRecord, n_done: int) -> None:
    if n_done == 0:
        raise RequestError("sweep_id", sweep.id, "no trial of it is done yet; ask again once its job is further")
