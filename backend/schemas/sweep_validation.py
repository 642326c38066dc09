"""Requests and responses of /backtest/sweeps/{sweep_id}/stability and /cross-validation."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from backend.schemas.model import Model, Strict

#: Figures of which more is better.
MapMetric: TypeAlias = Literal[
    "sharpe", "sortino", "calmar", "cagr", "total_return", "max_drawdown", "information_ratio", "excess_cagr"
]


class StabilityIn(Strict):
    """Which figure is mapped."""

    metric: MapMetric = "sharpe"


class CrossValidationIn(Strict):
    """How sessions are parted: every choice of `n_test_groups` of `n_groups` consecutive groups is a test once."""

    n_groups: int = Field(default=10, ge=2, le=20, description="Of sessions, as long as each other but for one.")
    n_test_groups: int = Field(default=2, ge=1, le=10, description="1 is purged k-fold, with one path.")
    purge: int = Field(
        default=21,
        ge=0,
        le=1_000,
        description="On either side of a test, in no training.",
        json_schema_extra={"unit": "sessions"},
    )
    embargo: int = Field(
        default=0, ge=0, le=1_000, description="More of them after a test.", json_schema_extra={"unit": "sessions"}
    )


class MapAxisOut(Model):
    """A parameter of which there are two values or more, in order."""

    name: str
    values: list[Any]


class ChosenOut(Model):
    """A trial."""

    backtest_id: str
    parameters: dict[str, Any]


class StabilityOut(Model):
    """A figure over the grid of a sweep. Lists are flat, the last axis fastest; None: not run, or not defined."""

    id: str
    metric: MapMetric
    n_trials: int
    n_done: int = Field(description="Of them, as far as the sweep is.")
    axes: list[MapAxisOut]
    backtest_ids: list[str | None]
    value: list[float | None]
    mean: list[float | None] = Field(description="Of a cell and its neighbours, one step along every axis.")
    minimum: list[float | None] = Field(description="Of the same.")
    plateau: list[float | None] = Field(
        description="1: neighbours are as good as the cell; 0: as what one gets anywhere. None: below the median."
    )
    most_stable: ChosenOut = Field(description="The trial with the highest mean.")


class ChoiceOut(ChosenOut):
    """A trial that was the best of a training set, and in how many splits."""

    n_splits: int


class CrossValidationOut(Model):
    """The best trial of each training set, judged by its test. Sharpe ratios a year; quantiles by share."""

    id: str
    plan: CrossValidationIn
    n_trials: int
    n_done: int = Field(description="Of them, as far as the sweep is.")
    n_splits: int
    train_sharpe: dict[str, float] = Field(description="Of what was chosen, over the splits.")
    test_sharpe: dict[str, float] = Field(description="Of the same where it was not chosen.")
    paths: list[float] = Field(description="Of each whole history out of sample.")
    path_sharpe: dict[str, float]
    probability_of_loss: float = Field(description="Share of paths below zero.")
    chosen: list[ChoiceOut] = Field(description="The most often chosen first.")
