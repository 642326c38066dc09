"""Cross-sectional momentum: hold the assets that gained most over the past year, its newest month left out."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from strategy.library.contract import Parameters, Strategy
from strategy.library.selection import equal_parts, known_prices, largest
from strategy.panel import FloatArray, IntArray, PricePanel
from strategy.signals.momentum import momentum


class MomentumParameters(Parameters):
    """Span and breadth; the defaults are "12-1": twelve months less the newest one."""

    lookback: int = Field(
        default=231,
        ge=1,
        le=1260,
        description="Span over which returns are compared.",
        json_schema_extra={"unit": "sessions"},
    )
    skip: int = Field(
        default=21,
        ge=0,
        le=63,
        description="Newest sessions left out of the span (short-term reversal).",
        json_schema_extra={"unit": "sessions"},
    )
    top_n: int = Field(
        default=50,
        ge=1,
        le=500,
        description="Assets held; each has an equal part.",
        json_schema_extra={"unit": "assets"},
    )


def _target_weights(panel: PricePanel, rows: IntArray, parameters: MomentumParameters) -> FloatArray:
    """Equal parts of the `top_n` highest returns of active assets, equal ones by ticker; of all when they are fewer."""
    strength = momentum(known_prices(panel, rows), rows, lookback=parameters.lookback, skip=parameters.skip)
    strength[~panel.active_on(rows)] = np.nan
    return equal_parts(largest(strength, parameters.top_n))


MOMENTUM = Strategy(
    key="momentum",
    version=1,
    title="Cross-sectional momentum",
    description=(
        "Holds the winners of the past year, its newest month left out, whatever the market does. "
        "Jegadeesh, N. and Titman, S. (1993), Journal of Finance 48(1), 65-91."
    ),
    parameters=MomentumParameters,
    rebalance="monthly",
    target_weights=_target_weights,
    is_memoryless=True,
)
