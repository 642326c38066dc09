"""Equal weight: the same share of every asset, restored at each rebalance."""

from __future__ import annotations

from pydantic import Field

from strategy.library.contract import Parameters, Strategy
from strategy.library.selection import candidates, equal_parts
from strategy.panel import FloatArray, IntArray, PricePanel


class EqualWeightParameters(Parameters):
    """What to hold."""

    tickers: tuple[str, ...] = Field(
        default=(), max_length=10_000, description="Assets to hold; none means every member of the universe."
    )


def _target_weights(panel: PricePanel, rows: IntArray, parameters: EqualWeightParameters) -> FloatArray:
    return equal_parts(candidates(panel, rows, parameters.tickers))


EQUAL_WEIGHT = Strategy(
    key="equal_weight",
    version=1,
    title="Equal weight",
    description=(
        "Holds the same share of every member and restores it at each rebalance. "
        "Hard to beat after costs: DeMiguel, Garlappi and Uppal (2009), Review of Financial Studies 22(5)."
    ),
    parameters=EqualWeightParameters,
    rebalance="monthly",
    target_weights=_target_weights,
    is_memoryless=True,
)
