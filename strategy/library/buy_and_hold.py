"""Buy and hold: equal parts of every asset once, and never trade again."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from strategy.library.contract import Parameters, Strategy
from strategy.library.selection import candidates, equal_parts, known_prices
from strategy.panel import FloatArray, IntArray, PricePanel


class BuyAndHoldParameters(Parameters):
    """What to hold."""

    tickers: tuple[str, ...] = Field(
        default=(), max_length=10_000, description="Assets to buy; none means every member at the first decision."
    )


def _target_weights(panel: PricePanel, rows: IntArray, parameters: BuyAndHoldParameters) -> FloatArray:
    """Equal parts at the first row; later rows keep the weights to which these have drifted, dividends reinvested.

    On a later row an asset that is no longer active has weight 0: its part becomes cash.
    """
    if rows.size == 0:
        return np.zeros((0, panel.n_assets))
    bought = equal_parts(candidates(panel, rows[:1], parameters.tickers))[0]
    held = np.flatnonzero(bought)
    prices = known_prices(panel, rows)[rows[0] :, held]
    growth = _carried_forward(prices)[rows - rows[0]] / prices[0]
    values = bought[held] * growth
    total = values.sum(axis=1, keepdims=True)
    weights = np.zeros((rows.size, panel.n_assets))
    weights[:, held] = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    weights[~panel.active_on(rows)] = 0.0
    return weights


def _carried_forward(prices: FloatArray) -> FloatArray:
    last = np.where(np.isnan(prices), 0, np.arange(prices.shape[0])[:, np.newaxis])
    return np.take_along_axis(prices, np.maximum.accumulate(last, axis=0), axis=0)


BUY_AND_HOLD = Strategy(
    key="buy_and_hold",
    version=1,
    title="Buy and hold",
    description="Buys equal parts of the members once and never trades again. The yardstick of every other strategy.",
    parameters=BuyAndHoldParameters,
    rebalance="once",
    target_weights=_target_weights,
)
