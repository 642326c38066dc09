"""Hierarchical risk parity as a strategy: the allocation of past returns of the assets that have a full window."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from strategy.allocation.hierarchical_risk_parity import Linkage, hierarchical_risk_parity
from strategy.library.contract import Parameters, Strategy
from strategy.library.selection import candidates, known_prices
from strategy.panel import BoolArray, FloatArray, IntArray, PricePanel

# Returns that differ by no more than this differ by rounding: such an asset (cash that accrues) has no risk to share.
RETURN_ROUNDING = 1e-12


class HierarchicalRiskParityParameters(Parameters):
    """Window of returns and kind of tree."""

    lookback: int = Field(
        default=252,
        ge=20,
        le=1260,
        description="Returns from which variances and correlations are estimated.",
        json_schema_extra={"unit": "sessions"},
    )
    min_observations: int = Field(
        default=252,
        ge=20,
        le=1260,
        description="Fewest returns to decide on while there are fewer than the lookback; at most the lookback.",
        json_schema_extra={"unit": "sessions"},
    )
    linkage: Linkage = Field(default="single", description="How the distance of two clusters is measured.")
    tickers: tuple[str, ...] = Field(
        default=(), max_length=10_000, description="Assets to hold; none means every member of the universe."
    )


def _target_weights(panel: PricePanel, rows: IntArray, parameters: HierarchicalRiskParityParameters) -> FloatArray:
    """Weights of each row; cash where no asset qualifies, or where there are fewer than `min_observations` returns.

    An asset qualifies if it is active, has a close on every session of the window, and its return varies.
    """
    active = candidates(panel, rows, parameters.tickers)
    needed = min(parameters.min_observations, parameters.lookback)
    weights, prices = np.zeros(active.shape), known_prices(panel, rows)
    for number, row in enumerate(rows):
        if row >= needed:
            window = prices[max(row - parameters.lookback, 0) : row + 1]
            weights[number] = _allocated(window, active[number], parameters.linkage)
    return weights


def _allocated(prices: FloatArray, active: BoolArray, linkage: Linkage) -> FloatArray:
    columns = np.flatnonzero(active & np.isfinite(prices).all(axis=0))
    returns = prices[1:, columns] / prices[:-1, columns] - 1
    varies = np.ptp(returns, axis=0) > RETURN_ROUNDING
    columns, returns = columns[varies], returns[:, varies]
    weights = np.zeros(active.size)
    if columns.size:
        covariance = np.atleast_2d(np.cov(returns, rowvar=False))
        weights[columns] = hierarchical_risk_parity(covariance, linkage=linkage)
    return weights


HIERARCHICAL_RISK_PARITY = Strategy(
    key="hierarchical_risk_parity",
    version=1,
    title="Hierarchical risk parity",
    description=(
        "Spreads risk along a tree of similar assets, without inverting a covariance matrix. "
        "Lopez de Prado, M. (2016), Journal of Portfolio Management 42(4)."
    ),
    parameters=HierarchicalRiskParityParameters,
    rebalance="monthly",
    target_weights=_target_weights,
    is_memoryless=True,
)
