"""Costs of orders, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from strategy.backtest.cost_presets import PRESETS, PRICE_LISTS
from strategy.backtest.costs import CostModel, CostTier, OrderConditions, order_costs
from strategy.errors import ExecutionError


def cost(model: CostModel, shares: float, price: float) -> float:
    return float(order_costs(model, np.array([shares]), np.array([price]))[0])


def test_every_part_of_a_cost_adds_up() -> None:
    model = CostModel(flat=3.0, per_share=0.01, bps=10, half_spread_bps=2)
    # 3 + 200 x 0.01 + 12 bps of 200 x 50 = 3 + 2 + 12.
    assert cost(model, 200, 50) == pytest.approx(17.0)
    assert cost(model, -200, 50) == pytest.approx(17.0)


def test_bounds_are_those_of_the_commission_and_the_spread_comes_on_top() -> None:
    assert cost(CostModel(minimum=5, half_spread_bps=10), 10, 100) == pytest.approx(6.0)  # 5 + 0.1 % of 1,000
    assert cost(CostModel(flat=9, maximum_bps=10, half_spread_bps=10), 10, 100) == pytest.approx(2.0)


def test_the_currency_margin_is_for_foreign_assets_only() -> None:
    conditions = OrderConditions(rates=np.array([1.0, 1.5]), is_foreign=np.array([False, True]))
    found = order_costs(CostModel(fx_margin_bps=70), np.array([10.0, 10.0]), np.array([100.0, 100.0]), conditions)
    assert found.tolist() == [0.0, pytest.approx(7.0)]  # 0.7 % of 1,000
    assert cost(CostModel(fx_margin_bps=70), 10, 100) == 0


def test_amounts_of_a_price_list_are_in_its_own_currency() -> None:
    # 100 shares at AUD 30 and AUD 1.50 for a dollar are USD 2,000; 0.50 of commission is below the minimum, USD 1, and
    # 0.03 % of AUD 3,000 is taken of the conversion.
    conditions = OrderConditions(rates=np.array([1.5]), is_foreign=np.array([True]))
    fixed = PRESETS["ibkr_us_fixed"]
    assert order_costs(fixed, np.array([100.0]), np.array([30.0]), conditions)[0] == pytest.approx(1.5 + 0.9)
    tiers = CostModel(tiers=(CostTier(up_to=2_500, flat=4), CostTier(up_to=None, bps=100)))
    # USD 2,000 is in the first tier (4 x 1.5); AUD 4,500 are USD 3,000, in the second: 1 %.
    assert order_costs(tiers, np.array([100.0]), np.array([30.0]), conditions)[0] == pytest.approx(6.0)
    assert order_costs(tiers, np.array([150.0]), np.array([30.0]), conditions)[0] == pytest.approx(45.0)


def test_impact_grows_with_the_root_of_the_order() -> None:
    conditions = OrderConditions(mean_volume=np.array([1e6]), volatility=np.array([0.02]))
    # 10,000 of 1,000,000 shares: the root of 1 % is 0.1; 0.1 x 2 % = 20 bp of 500,000.
    found = order_costs(CostModel(impact=1.0), np.array([-10_000.0]), np.array([50.0]), conditions)
    assert found[0] == pytest.approx(1_000.0)
    # Four times the order: twice the fraction, eight times the money.
    found = order_costs(CostModel(impact=1.0), np.array([40_000.0]), np.array([50.0]), conditions)
    assert found[0] == pytest.approx(8_000.0)


def test_an_order_has_the_tier_of_its_whole_value() -> None:
    model = CostModel(
        tiers=(CostTier(up_to=1_000, flat=5), CostTier(up_to=3_000, flat=10), CostTier(up_to=None, bps=12))
    )
    found = order_costs(model, np.array([10.0, 10.0, -30.0, 30.0]), np.array([100.0, 100.01, 100.0, 200.0]))
    assert found.tolist() == pytest.approx([5.0, 10.0, 10.0, 7.2])


def test_stake_and_commsec() -> None:
    # https://hellostake.com/au/pricing and https://www.commsec.com.au/support/rates-and-fees.html
    assert [cost(PRESETS["stake_us"], 1, value) for value in (100, 30_000, 50_000)] == [3.0, 3.0, pytest.approx(5.0)]
    values = (1_000, 1_000.01, 3_000, 10_000, 25_000, 50_000)
    assert [cost(PRESETS["commsec"], 1, value) for value in values] == [5, 10, 10, 19.95, 29.95, pytest.approx(60.0)]


def test_every_preset_of_a_broker_says_when_where_and_what_it_leaves_out() -> None:
    for key, price_list in PRICE_LISTS.items():
        if key not in {"zero", "ten_bps"}:
            assert price_list.as_of is not None
            assert price_list.currency in {"USD", "AUD"}
            assert price_list.source is not None
            assert price_list.leaves_out
            assert "check before use" in price_list.description


@pytest.mark.parametrize("bounds", [[1000.0], [None, None], [2000.0, 1000.0, None], [1000.0, 1000.0, None]])
def test_tiers_that_do_not_increase_to_one_of_any_value_are_refused(bounds: list[float | None]) -> None:
    with pytest.raises(ExecutionError, match=r"costs\.tiers"):
        CostModel(tiers=tuple(CostTier(up_to=bound, flat=1) for bound in bounds))


def test_no_order_costs_nothing_even_with_a_minimum() -> None:
    assert cost(CostModel(flat=3.0, minimum=5.0), 0, 50) == 0


def test_interactive_brokers_fixed_pricing() -> None:
    fixed = PRESETS["ibkr_us_fixed"]
    assert cost(fixed, 1000, 25) == pytest.approx(5.0)  # 1,000 x 0.005
    assert cost(fixed, 100, 25) == pytest.approx(1.0)  # 0.50, so the minimum
    assert cost(fixed, 1000, 0.25) == pytest.approx(2.5)  # 5.00, capped at 1 % of 250
    assert cost(fixed, 10, 5) == pytest.approx(0.5)  # the cap of 1 % of 50 beats the minimum


@pytest.mark.parametrize("field", ["flat", "per_share", "bps", "half_spread_bps", "impact", "minimum", "maximum_bps"])
@pytest.mark.parametrize("value", [-0.01, float("nan"), float("inf")])
def test_a_wrong_figure_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ExecutionError, match=f"costs.{field}"):
        CostModel(**{field: value})  # type: ignore[arg-type]  # one of many fields
