"""Dual momentum: hold the strongest assets, but only while they beat a hurdle."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from strategy.library.contract import Parameters, Strategy
from strategy.library.selection import equal_parts, known_prices, named_columns
from strategy.panel import FloatArray, IntArray, PricePanel
from strategy.signals.momentum import momentum


class DualMomentumParameters(Parameters):
    """Span, breadth, hurdle, and where to go when nothing beats it."""

    lookback: int = Field(
        default=252,
        ge=2,
        le=1260,
        description="Span over which returns are compared.",
        json_schema_extra={"unit": "sessions"},
    )
    skip: int = Field(
        default=0,
        ge=0,
        le=63,
        description="Newest sessions left out of the span (short-term reversal).",
        json_schema_extra={"unit": "sessions"},
    )
    top_n: int = Field(
        default=3,
        ge=1,
        le=500,
        description="Assets held; each has an equal part.",
        json_schema_extra={"unit": "assets"},
    )
    risk_free_rate: float = Field(
        default=0.0,
        ge=-0.05,
        le=0.25,
        description="Hurdle that a return must exceed, as a fraction a year.",
        json_schema_extra={"unit": "fraction a year"},
    )
    periods_per_year: int = Field(
        default=252,
        ge=1,
        le=366,
        description="Sessions in a year, by which the hurdle is scaled to the span.",
        json_schema_extra={"unit": "sessions"},
    )
    defensive: tuple[str, ...] = Field(
        default=(),
        max_length=50,
        description="Assets that share the parts of those that miss the hurdle; none means cash.",
    )


def _target_weights(panel: PricePanel, rows: IntArray, parameters: DualMomentumParameters) -> FloatArray:
    """Weights of Antonacci's rule: relative strength picks, absolute strength decides whether to hold.

    1. Return over the span of every active asset that is not defensive.
    2. The `top_n` highest are picked; equal returns go by ticker.
    3. Each that exceeds the hurdle gets ``1 / top_n``; the parts of the others go to the defensive assets.
    """
    strength = momentum(known_prices(panel, rows), rows, lookback=parameters.lookback, skip=parameters.skip)
    active = panel.active_on(rows)
    defensive = np.zeros(panel.n_assets, dtype=np.bool_)
    defensive[named_columns(panel, parameters.defensive, parameter="defensive")] = True
    strength[~active | np.isnan(strength) | defensive] = -np.inf
    hurdle = (1 + parameters.risk_free_rate) ** (parameters.lookback / parameters.periods_per_year) - 1
    picked = np.argsort(-strength, axis=1, kind="stable")[:, : parameters.top_n]
    is_held = np.take_along_axis(strength, picked, axis=1) > hurdle
    weights = np.zeros(strength.shape)
    np.put_along_axis(weights, picked, is_held / parameters.top_n, axis=1)
    spare = 1 - is_held.sum(axis=1, keepdims=True) / parameters.top_n
    weights += spare * equal_parts(active & defensive)
    return weights


DUAL_MOMENTUM = Strategy(
    key="dual_momentum",
    version=1,
    title="Dual momentum",
    description=(
        "Holds the assets with the highest return over the past year, and steps aside for those whose return is below "
        "a hurdle. Antonacci, G. (2014), Dual Momentum Investing, McGraw-Hill."
    ),
    parameters=DualMomentumParameters,
    rebalance="monthly",
    target_weights=_target_weights,
    is_memoryless=True,
)
