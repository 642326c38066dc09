"""What an order costs: composable figures, and presets by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

import numpy as np

from strategy.errors import ExecutionError
from strategy.panel import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class CostModel:
    """Cost of one order: ``flat + per_share * shares + bps of value``, at least `minimum`, at most `maximum_bps`.

    Parameters
    ----------
    flat, minimum : float
        Quote currency per order.
    per_share : float
        Quote currency per share traded.
    bps, half_spread_bps, fx_margin_bps : float
        Basis points of the traded value; they add up.
    maximum_bps : float or None
        Cap of the whole cost in basis points of the traded value; it takes precedence over `minimum`. None: no cap.

    Raises
    ------
    ExecutionError
        If a figure is negative or not finite.
    """

    flat: float = 0.0
    per_share: float = 0.0
    bps: float = 0.0
    half_spread_bps: float = 0.0
    fx_margin_bps: float = 0.0
    minimum: float = 0.0
    maximum_bps: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name == "maximum_bps":
                continue
            if not np.isfinite(value) or value < 0:
                raise ExecutionError(f"costs.{field.name}", value, "must be a finite number, zero or more")
            # 10 and 10.0 are one model, and one backtest id.
            object.__setattr__(self, field.name, float(value))

    def replaced(self, **figures: float) -> CostModel:
        """The same model with some figures changed."""
        return replace(self, **figures)


#: Presets by name; `ibkr_us_fixed` as Interactive Brokers publishes it for US stocks, in USD.
PRESETS: Mapping[str, CostModel] = MappingProxyType(
    {
        "zero": CostModel(),
        "ten_bps": CostModel(bps=10.0),
        "ibkr_us_fixed": CostModel(per_share=0.005, minimum=1.0, maximum_bps=100.0),
    }
)
#: What each preset stands for, in words.
PRESET_DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "zero": "None, to compare rules and not returns.",
        "ten_bps": "10 bp of the traded value.",
        "ibkr_us_fixed": "Interactive Brokers US, fixed: USD 0.005 a share, at least USD 1, at most 1 % of the value.",
    }
)


def order_costs(costs: CostModel, shares: FloatArray, prices: FloatArray) -> FloatArray:
    """Cost of each order.

    Parameters
    ----------
    costs : CostModel
    shares : ndarray of shape (n_orders,)
        Signed number of shares; 0 is no order and costs nothing.
    prices : ndarray of shape (n_orders,)
        Fill prices, quote currency.

    Returns
    -------
    ndarray of shape (n_orders,)
        Quote currency, >= 0.
    """
    count = np.abs(shares)
    value = count * prices
    rate = (costs.bps + costs.half_spread_bps + costs.fx_margin_bps) / 10_000
    total = np.maximum(costs.flat + costs.per_share * count + rate * value, costs.minimum)
    if costs.maximum_bps is not None:
        total = np.minimum(total, costs.maximum_bps / 10_000 * value)
    return np.where(count > 0, total, 0.0)
