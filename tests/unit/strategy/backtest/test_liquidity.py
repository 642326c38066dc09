"""Volume and volatility before a fill: by hand, and blind to what comes after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from strategy.adjustments import CorporateActions
from strategy.backtest.costs import CostModel
from strategy.backtest.engine import simulate
from strategy.backtest.liquidity import mean_volume, order_conditions, volatility
from strategy.backtest.simulation import Decisions, Simulation
from strategy.backtest.spec import Execution
from strategy.errors import ExecutionError, MissingFieldError
from strategy.panel import Conversion, FloatArray, PricePanel
from support.panels import panel_of, random_panel


def with_volume(panel: PricePanel, volume: FloatArray) -> PricePanel:
    return replace(panel, fields={**panel.fields, "volume": volume.astype(np.float64)})


def simulated(panel: PricePanel, row: int) -> Simulation:
    weights = np.full((1, panel.n_assets), 1 / panel.n_assets)
    return simulate(
        panel,
        Decisions(rows=np.array([row], dtype=np.intp), weights=weights),
        costs=CostModel(impact=1),
        execution=Execution(initial_cash=8_829.0),
        first_row=0,
        last_row=panel.n_dates - 1,
    )


def test_the_mean_volume_is_that_of_the_sessions_before_the_fill() -> None:
    nan = np.nan
    volume = np.array([[9e9, 1.0], [100.0, nan], [300.0, nan], [nan, nan], [7e7, 5.0]])
    found = mean_volume(with_volume(panel_of(np.full((5, 2), 10.0)), volume), 4, lookback=3)
    assert found[0] == 200.0
    assert np.isnan(found[1])


def test_volumes_before_a_split_are_counted_in_shares_after_it() -> None:
    actions = CorporateActions(
        rows=np.array([1, 3]), columns=np.array([0, 0]), split_ratios=np.array([2.0, 5.0]), dividends=np.zeros(2)
    )
    panel = with_volume(panel_of(np.full((4, 1), 10.0), actions=actions), np.array([[10.0], [30.0], [50.0], [1e9]]))
    # On row 3: 10 x 2 x 5, 30 x 5 and 50 x 5; on row 2, before the second split: 10 x 2 and 30.
    assert mean_volume(panel, 3)[0] == pytest.approx((100 + 150 + 250) / 3)
    assert mean_volume(panel, 2)[0] == pytest.approx((20 + 30) / 2)


def test_volatility_is_the_sample_deviation_of_total_returns() -> None:
    panel = panel_of(np.array([[10.0], [11.0], [8.8], [1e3]]))
    assert volatility(panel, 3)[0] == pytest.approx(np.std([0.1, -0.2], ddof=1))
    assert np.isnan(volatility(panel, 2)[0])
    # +10 %, then two new shares of 5.5 for one of 11, and 0.55 for each: +10 % again; nothing varies.
    actions = CorporateActions(
        rows=np.array([2]), columns=np.array([0]), split_ratios=np.array([2.0]), dividends=np.array([0.55])
    )
    panel = panel_of(np.array([[10.0], [11.0], [5.5], [1e3]]), actions=actions)
    assert volatility(panel, 3)[0] == pytest.approx(0.0, abs=1e-12)


def test_the_volatility_of_a_converted_panel_is_that_of_the_quotes() -> None:
    quotes, rates = np.array([[10.0], [11.0], [8.8], [9.0]]), np.array([[1.0], [1.5], [0.7], [2.0]])
    panel = replace(panel_of(quotes * rates), conversion=Conversion(rates=rates, is_foreign=np.array([True])))
    assert volatility(panel, 3)[0] == pytest.approx(volatility(panel_of(quotes), 3)[0])


def test_nothing_of_the_fill_or_after_it_is_looked_at() -> None:
    volumes = np.random.default_rng(1).uniform(1e3, 1e6, (40, 3))
    panel = with_volume(random_panel(1, n_dates=40, n_assets=3), volumes)
    later = np.arange(40)[:, np.newaxis] >= 30
    fields = {name: np.where(later, 1.0, values) for name, values in panel.fields.items()}
    one, two = (order_conditions(each, CostModel(impact=1), 30) for each in (panel, replace(panel, fields=fields)))
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.mean_volume, two.mean_volume)
    np.testing.assert_array_equal(one.volatility, two.volatility)


def test_the_engine_charges_impact() -> None:
    # Closes of 100 and 110 in turn: ten returns of +10 % and ten of -1/11 before the fill at the open of row 22, 100.
    closes = np.where(np.arange(24) % 2 == 0, 100.0, 110.0)[:, np.newaxis]
    found = simulated(with_volume(panel_of(closes), np.full((24, 1), 100.0)), 21).costs
    shares = (8_829 - found) / 100
    assert found == pytest.approx(np.std([0.1, -1 / 11] * 10, ddof=1) * np.sqrt(shares / 100) * shares * 100)


def test_a_panel_without_volumes_is_refused_with_the_remedy() -> None:
    panel = panel_of(np.full((30, 1), 10.0))
    with pytest.raises(MissingFieldError, match="volume"):
        simulated(panel, 25)
    with pytest.raises(ExecutionError, match="has none; ingest it"):
        simulated(with_volume(panel, np.full((30, 1), np.nan)), 25)


def test_a_start_without_twenty_sessions_before_the_fill_is_refused_with_the_first_that_has() -> None:
    panel = with_volume(random_panel(1, n_dates=30, n_assets=1), np.full((30, 1), 1e6))
    with pytest.raises(ExecutionError, match=str(panel.sessions[19])):
        simulated(panel, 18)
    assert simulated(panel, 19).costs > 0


def test_an_asset_without_volume_is_not_traded() -> None:
    volume = np.tile([1e6, 0.0], (30, 1))
    found = simulated(with_volume(random_panel(1, n_dates=30, n_assets=2), volume), 25)
    assert found.orders.columns.tolist() == [0]
