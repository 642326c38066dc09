"""What an order costs: a commission between bounds, and what the market and the currency take on top.

1. Commission: ``flat + per_share * shares + bps of value``, with those of the tier of the order's value where the price
   list has tiers; at least `minimum`, at most `maximum_bps` of the value.
2. Half of the spread between bid and ask.
3. Market impact by the square-root law [1]_ [2]_: ``impact * volatility * sqrt(shares / mean_volume)`` of the value.
4. The margin of the currency conversion, for assets that are not quoted in the base currency.

References
----------
.. [1] Almgren, R., Thum, C., Hauptmann, E. and Li, H. (2005). "Direct Estimation of Equity Market Impact". Risk 18(7),
   58-62.
.. [2] Toth, B. et al. (2011). "Anomalous Price Impact and the Critical Nature of Liquidity in Financial Markets".
   Physical Review X 1, 021006; the coefficient is of order 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np

from strategy.errors import ExecutionError
from strategy.panel import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class CostTier:
    """Commission of orders of a value up to `up_to` (quote currency; None: of any value): `flat` and `bps` of it."""

    up_to: float | None
    flat: float = 0.0
    bps: float = 0.0

    def __post_init__(self) -> None:
        for name in ("up_to", "flat", "bps"):
            _set_figure(self, name, f"tiers.{name}", may_be_none=name == "up_to")


@dataclass(frozen=True, slots=True, kw_only=True)
class CostModel:
    """Cost of one order; see the module.

    Parameters
    ----------
    flat, minimum : float
        Quote currency per order.
    per_share : float
        Quote currency per share traded.
    bps, half_spread_bps : float
        Basis points of the traded value.
    fx_margin_bps : float
        Basis points of the traded value, of assets in another currency than the base's.
    impact : float
        Coefficient of the square-root law, dimensionless; 0: no impact. Needs the volumes of the panel.
    maximum_bps : float or None
        Cap of the commission in basis points of the traded value; it takes precedence over `minimum`. None: no cap.
    tiers : tuple of CostTier
        By increasing value, the last one of any value; the tier of an order is that of its whole value, and its figures
        add to `flat` and `bps`. Empty: none.

    Raises
    ------
    ExecutionError
        If a figure is negative or not finite, or the tiers do not increase to one of any value.
    """

    flat: float = 0.0
    per_share: float = 0.0
    bps: float = 0.0
    half_spread_bps: float = 0.0
    fx_margin_bps: float = 0.0
    impact: float = 0.0
    minimum: float = 0.0
    maximum_bps: float | None = None
    tiers: tuple[CostTier, ...] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name != "tiers":
                _set_figure(self, field.name, f"costs.{field.name}", may_be_none=field.name == "maximum_bps")
        bounds = [math.inf if tier.up_to is None else tier.up_to for tier in self.tiers]
        is_sorted = all(low < high for low, high in pairwise(bounds))
        if bounds and not (is_sorted and bounds[-1] == math.inf):
            raise ExecutionError("costs.tiers", bounds, "must increase, and the last must have no bound (up_to null)")

    def replaced(self, **figures: Any) -> CostModel:  # Any: the fields differ in type, and are checked above
        """The same model with some figures changed."""
        return replace(self, **figures)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> CostModel:  # Any: JSON values
        """The model of its JSON object."""
        return cls(**body | {"tiers": tuple(CostTier(**tier) for tier in body.get("tiers", ()))})


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderConditions:
    """What orders meet when they fill, one figure for each order; arrays of shape (n_orders,).

    Parameters
    ----------
    mean_volume : ndarray or None
        Shares a session; > 0 or NaN (not known). None: there is no impact.
    volatility : ndarray or None
        Standard deviation of the returns of a session, fraction. None: there is no impact.
    rates : ndarray or None
        Units of the base currency for one of the quote currency. None: every order is in the base currency.
    is_foreign : ndarray of bool or None
        Whether the quote currency is another than the base's. None: it nowhere is.
    """

    mean_volume: FloatArray | None = None
    volatility: FloatArray | None = None
    rates: FloatArray | None = None
    is_foreign: BoolArray | None = None

    @property
    def is_known(self) -> BoolArray | bool:
        """Whether the costs of an order can be told: where they cannot, nothing is traded."""
        if self.mean_volume is None or self.volatility is None:
            return True
        return np.isfinite(self.mean_volume) & np.isfinite(self.volatility)

    def of(self, part: IntArray | slice | tuple[IntArray, IntArray]) -> OrderConditions:
        """Those of some orders."""
        return OrderConditions(
            mean_volume=None if self.mean_volume is None else self.mean_volume[part],
            volatility=None if self.volatility is None else self.volatility[part],
            rates=None if self.rates is None else self.rates[part],
            is_foreign=None if self.is_foreign is None else self.is_foreign[part],
        )


def order_costs(
    costs: CostModel, shares: FloatArray, prices: FloatArray, conditions: OrderConditions | None = None
) -> FloatArray:
    """Cost of each order.

    Parameters
    ----------
    costs : CostModel
    shares : ndarray of shape (n_orders,)
        Signed number of shares; 0 is no order and costs nothing.
    prices : ndarray of shape (n_orders,)
        Fill prices, base currency.
    conditions : OrderConditions or None
        None: the assets are quoted in the base currency, and orders have no impact.

    Returns
    -------
    ndarray of shape (n_orders,)
        Base currency, >= 0.
    """
    count = np.abs(shares)
    value = count * prices
    total = _commission(costs, count, value, None if conditions is None else conditions.rates)
    if costs.half_spread_bps:
        total = total + costs.half_spread_bps / 10_000 * value
    if conditions is not None:
        total = total + _shortfall(costs, count, value, conditions)
    return np.where(count > 0, total, 0.0)


def _commission(costs: CostModel, count: FloatArray, value: FloatArray, rates: FloatArray | None) -> FloatArray:
    """The broker's part; its amounts are in the quote currency, `value` and the result in the base currency."""
    unit: FloatArray | float = 1.0 if rates is None else rates
    flat, bps = (costs.flat, costs.bps) if not costs.tiers else _tiered(costs, value / unit)
    total: FloatArray = np.maximum((flat + costs.per_share * count) * unit + bps / 10_000 * value, costs.minimum * unit)
    return total if costs.maximum_bps is None else np.minimum(total, costs.maximum_bps / 10_000 * value)


def _tiered(costs: CostModel, value: FloatArray) -> tuple[FloatArray, FloatArray]:
    """`flat` and `bps` of each order by its value in quote currency."""
    bounds = np.array([tier.up_to for tier in costs.tiers[:-1]], dtype=np.float64)
    tier = np.searchsorted(bounds, value, side="left")
    flat, bps = (np.array([getattr(tier, name) for tier in costs.tiers]) for name in ("flat", "bps"))
    return costs.flat + flat[tier], costs.bps + bps[tier]


def _shortfall(
    costs: CostModel, count: FloatArray, value: FloatArray, conditions: OrderConditions
) -> FloatArray | float:
    """Impact and currency margin."""
    total: FloatArray | float = 0.0
    if costs.impact and conditions.mean_volume is not None and conditions.volatility is not None:
        total = costs.impact * conditions.volatility * np.sqrt(count / conditions.mean_volume) * value
    if costs.fx_margin_bps and conditions.is_foreign is not None:
        total = total + np.where(conditions.is_foreign, costs.fx_margin_bps / 10_000 * value, 0.0)
    return total


def _set_figure(model: CostModel | CostTier, name: str, field: str, *, may_be_none: bool) -> None:
    value = getattr(model, name)
    if value is None and may_be_none:
        return
    if not math.isfinite(value) or value < 0:
        raise ExecutionError(field, value, "must be a finite number, zero or more")
    # 10 and 10.0 are one model, and one backtest id.
    object.__setattr__(model, name, float(value))
