"""Requests and responses of /backtest/preregistrations."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import Field

from backend.schemas.backtest import BacktestIn
from backend.schemas.model import Model, Strict


class PreregistrationIn(Strict):
    """A backtest to freeze, and why: what is expected of it, in words that can be held against the result."""

    backtest: BacktestIn = Field(description="Without end and snapshots, which move on.")
    reason: str = Field(min_length=1, max_length=2_000)


class SampleOut(Model):
    """Figures of the sessions on one side of the moment."""

    first: dt.date
    last: dt.date
    n_returns: int
    total_return: float
    max_drawdown: float
    sharpe: float | None = Field(description="Of session returns, not annualised. None: they do not vary.")
    probabilistic_sharpe: float | None = Field(description="Probability that the true ratio is above zero.")


class PreregistrationOut(Model):
    """A frozen spec; sessions after the UTC date of `frozen_at` are out of sample for good."""

    id: str
    spec: dict[str, Any]
    reason: str
    frozen_at: dt.datetime
    backtest_ids: list[str] = Field(description="Backtests that extended it, newest first.")
    in_sample: SampleOut | None
    out_of_sample: SampleOut | None = Field(description="None: no session since it was frozen, or not extended yet.")


class PreregistrationRow(Model):
    """One line of the list."""

    id: str
    strategy: str
    universe: str
    reason: str
    frozen_at: dt.datetime


class PreregistrationList(Model):
    """Every frozen spec, newest first."""

    data: list[PreregistrationRow]
