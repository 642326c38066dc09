"""Moving-average crossover: hold an asset while its fast average is above its slow one."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from strategy.library.contract import Parameters, Strategy
from strategy.library.selection import candidates, known_prices
from strategy.panel import BoolArray, FloatArray, IntArray, PricePanel
from strategy.signals.moving_average import moving_average, window_start


class SmaCrossoverParameters(Parameters):
    """Two windows, and the assets to time."""

    fast: int = Field(
        default=50, ge=1, le=500, description="Closes of the fast average.", json_schema_extra={"unit": "closes"}
    )
    slow: int = Field(
        default=200, ge=2, le=1260, description="Closes of the slow average.", json_schema_extra={"unit": "closes"}
    )
    tickers: tuple[str, ...] = Field(
        default=(),
        max_length=10_000,
        description="Assets to time, each with an equal part; none means every member of the universe.",
    )

    @model_validator(mode="after")
    def _is_faster(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"fast={self.fast} must be less than slow={self.slow}")
        return self


def _target_weights(panel: PricePanel, rows: IntArray, parameters: SmaCrossoverParameters) -> FloatArray:
    """One part for each candidate of a row whose fast average is above its slow one; the other parts are cash."""
    chosen = candidates(panel, rows, parameters.tickers)
    parts = np.maximum(chosen.sum(axis=1), 1)
    weights, prices = np.zeros(chosen.shape), known_prices(panel, rows)
    for column in np.flatnonzero(chosen.any(axis=0)):
        closes = prices[:, column]
        first = window_start(closes, int(rows[0]), parameters.slow)
        is_up = crossover(closes[first:], fast=parameters.fast, slow=parameters.slow)[rows - first]
        weights[:, column] = (chosen[:, column] & is_up) / parts
    return weights


def crossover(prices: FloatArray, *, fast: int, slow: int) -> BoolArray:
    """Whether the fast average of closes, shape (n_dates,), is above the slow one; false before both are known."""
    return moving_average(prices, fast) > moving_average(prices, slow)


SMA_CROSSOVER = Strategy(
    key="sma_crossover",
    version=1,
    title="Moving-average crossover",
    description=(
        "Holds an asset while the average of its recent closes is above that of a longer past, and cash otherwise. "
        "Brock, W., Lakonishok, J. and LeBaron, B. (1992), Journal of Finance 47(5), 1731-1764."
    ),
    parameters=SmaCrossoverParameters,
    rebalance="daily",
    target_weights=_target_weights,
    is_memoryless=True,
)
