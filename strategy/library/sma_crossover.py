"""Moving-average crossover: hold an asset while its fast average is above its slow one."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from strategy.library.contract import Parameters, Strategy
from strategy.library.selection import candidates
from strategy.panel import FloatArray, IntArray, PricePanel
from strategy.signals.moving_average import moving_averages


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
    parts = np.maximum(chosen.sum(axis=1, keepdims=True), 1)
    weights = np.zeros(chosen.shape)
    columns = np.flatnonzero(chosen.any(axis=0))
    if columns.size:
        fast, slow = (_averages(panel, columns, window, rows) for window in (parameters.fast, parameters.slow))
        # False before both are known.
        weights[:, columns] = (chosen[:, columns] & (fast > slow)) / parts
    return weights


def _averages(panel: PricePanel, columns: IntArray, window: int, rows: IntArray) -> FloatArray:
    """Moving averages of some assets at the rows; trials with another partner for this window have them in common."""
    first, last = int(rows[0]), int(rows[-1])
    averages = panel.remembered(
        ("moving_averages", columns.tobytes(), window, first, last),
        lambda: moving_averages(panel.prices_until(last), columns, window, first=first),
    )
    return averages[rows - first]


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
