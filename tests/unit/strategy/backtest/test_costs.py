"""Costs of orders, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from strategy.backtest.costs import PRESETS, CostModel, order_costs
from strategy.errors import ExecutionError


def cost(model: CostModel, shares: float, price: float) -> float:
    return float(order_costs(model, np.array([shares]), np.array([price]))[0])


def test_every_part_of_a_cost_adds_up() -> None:
    model = CostModel(flat=3.0, per_share=0.01, bps=10, half_spread_bps=2, fx_margin_bps=8)
    # 3 + 200 x 0.01 + 20 bps of 200 x 50 = 3 + 2 + 20.
    assert cost(model, 200, 50) == pytest.approx(25.0)
    assert cost(model, -200, 50) == pytest.approx(25.0)


def test_no_order_costs_nothing_even_with_a_minimum() -> None:
    assert cost(CostModel(flat=3.0, minimum=5.0), 0, 50) == 0


def test_interactive_brokers_fixed_pricing() -> None:
    fixed = PRESETS["ibkr_us_fixed"]
    assert cost(fixed, 1000, 25) == pytest.approx(5.0)  # 1,000 x 0.005
    assert cost(fixed, 100, 25) == pytest.approx(1.0)  # 0.50, so the minimum
    assert cost(fixed, 1000, 0.25) == pytest.approx(2.5)  # 5.00, capped at 1 % of 250
    assert cost(fixed, 10, 5) == pytest.approx(0.5)  # the cap of 1 % of 50 beats the minimum


@pytest.mark.parametrize("field", ["flat", "per_share", "bps", "half_spread_bps", "minimum", "maximum_bps"])
@pytest.mark.parametrize("value", [-0.01, float("nan"), float("inf")])
def test_a_wrong_figure_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ExecutionError, match=f"costs.{field}"):
        CostModel(**{field: value})
