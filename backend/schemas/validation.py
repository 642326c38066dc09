"""Responses of /backtest/{backtest_id}/validation and /shocks."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from backend.schemas.model import Model


class DistributionOut(Model):
    """What was observed, and quantiles of what could have been."""

    observed: float | None
    quantiles: dict[str, float | None] = Field(description="By share: 0.05 is the value that 5 % of samples are below.")


class ResampledOut(Model):
    """Paths of as many sessions, drawn in blocks by the stationary bootstrap."""

    n_samples: int
    block_length: float = Field(description="Mean sessions of a block, optimal by Politis and White (2004).")
    probability_of_loss: float = Field(description="Share of paths that end below where they began.")
    total_return: DistributionOut
    max_drawdown: DistributionOut
    sharpe: DistributionOut = Field(description="Annualised, above the cash rate.")


class ReorderedOut(Model):
    """The holding periods, from one rebalance to the next, in another order: the same end, other falls on the way."""

    n_samples: int
    n_periods: int
    max_drawdown: DistributionOut


class ReplayOut(Model):
    """A curve through a window, as fractions."""

    total_return: float
    max_drawdown: float


class HoldingsReplayOut(ReplayOut):
    """The last holdings, bought at the window's first close and never traded."""

    covered: float = Field(description="Share of their gross value with a price then; the rest is taken as unmoved.")


class StressOut(Model):
    """A fall of the US market, high to low. None: the data do not cover it from end to end."""

    name: str
    title: str
    start: dt.date
    end: dt.date
    strategy: ReplayOut | None
    benchmark: ReplayOut | None
    holdings: HoldingsReplayOut | None


class ValidationOut(Model):
    """Tests of a stored backtest: a pure function of its id, seeded by it."""

    id: str
    snapshot: str
    resampled: ResampledOut
    reordered: ReorderedOut
    stress: list[StressOut]
    holdings: dict[str, float] = Field(description="Last holdings: share of equity at the last close, by ticker.")


class ShocksOut(Model):
    """What the shocks would do to the last holdings at once, as fractions of equity."""

    id: str
    total: float
    by_ticker: dict[str, float]
