"""Requests and responses of /backtest/sweeps."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from backend.schemas.backtest import BacktestIn
from backend.schemas.jobs import JobOut
from backend.schemas.model import Model, Strict


class AxisIn(Strict):
    """Values of one parameter: give `values`, or `low` and `high`; all within the bounds of the strategy's own."""

    values: list[Any] | None = Field(default=None, min_length=1, max_length=500, description="The values themselves.")
    low: float | None = Field(default=None, description="Least value of a range.")
    high: float | None = Field(default=None, description="Greatest value of a range.")
    scale: Literal["linear", "log"] = Field(default="linear", description="How points of the range are spaced.")
    n_points: int = Field(default=5, ge=1, le=500, description="Points of the range on a grid, ends included.")


class SpaceIn(Strict):
    """What is searched, and how."""

    axes: dict[str, AxisIn] = Field(min_length=1, max_length=20, description="By name of the parameter.")
    method: Literal["grid", "random", "sobol"] = Field(default="grid", description="Every combination, or a sample.")
    n_samples: int = Field(default=64, ge=1, le=5_000, description="Points of a sample; a grid has what it has.")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="Of a sample.")


class WalkForwardIn(Strict):
    """Choose on the past, judge on what follows, move on."""

    n_train: int = Field(default=756, ge=20, le=10_000, json_schema_extra={"unit": "sessions"})
    n_test: int = Field(default=252, ge=5, le=10_000, json_schema_extra={"unit": "sessions"})
    purge: int = Field(default=0, ge=0, le=1_000, json_schema_extra={"unit": "sessions"})
    is_anchored: bool = Field(default=False, description="Training spans grow from the first session; else they roll.")


class BudgetIn(Strict):
    """Limits, checked before against a measured trial and kept while it runs; what was done stays."""

    trials: int | None = Field(default=None, ge=1, le=5_000)
    seconds: float | None = Field(default=None, gt=0, le=1e7, description="Of processors, summed over the workers.")
    dollars: float | None = Field(default=None, gt=0, le=1e5, description="US dollars of those seconds on Lambda.")


class SweepIn(Strict):
    """A backtest whose parameters are searched."""

    base: BacktestIn = Field(description="Its `parameters` are those that stay as they are.")
    space: SpaceIn
    walk_forward: WalkForwardIn | None = None
    budget: BudgetIn = Field(default_factory=BudgetIn)


class ResumeIn(Strict):
    """What a sweep that goes on may use."""

    budget: BudgetIn | None = Field(default=None, description="Instead of the one it has, done trials included.")


class SweepOut(Model):
    """A sweep: what was asked for, how far it is, and, once it has ended, what was found."""

    id: str
    spec: dict[str, Any]
    budget: dict[str, Any]
    n_trials: int
    batch_size: int = Field(description="Trials of a batch, from the measured time of one.")
    trial_seconds: float = Field(description="What one trial was measured to take.")
    created_at: dt.datetime
    job: JobOut
    result: dict[str, Any] | None = Field(
        description="State (`complete` or `budget reached`), the best with its doubt, stability, walk-forward."
    )


class SweepRow(Model):
    """One line of the list of sweeps."""

    id: str
    created_at: dt.datetime
    strategy: str
    universe: str
    n_trials: int
    status: str = Field(description="Of its job: queued, running, succeeded, failed or cancelled.")
    progress: float = Field(description="Done batches, 0 to 1.", json_schema_extra={"unit": "fraction"})
    state: str | None = Field(description="`complete` or `budget reached` once it has ended.")


class SweepPage(Model):
    """Sweeps, newest first."""

    data: list[SweepRow]
    next_cursor: str | None


class SweepTrialsPage(Model):
    """Trials of a sweep as columns."""

    id: str
    n_done: int
    columns: dict[str, list[Any]]
    next_cursor: str | None
