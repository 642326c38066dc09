"""Which assets and which returns hierarchical risk parity is given."""

from __future__ import annotations

from statistics import variance

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from strategy.adjustments import CorporateActions
from strategy.allocation.hierarchical_risk_parity import hierarchical_risk_parity
from strategy.library.hierarchical_risk_parity import HIERARCHICAL_RISK_PARITY, HierarchicalRiskParityParameters
from strategy.panel import FloatArray, PricePanel
from support.panels import panel_of, random_panel

LOOKBACK = 25


def allocated(
    panel: PricePanel, row: int, *, lookback: int = LOOKBACK, min_observations: int = 252, tickers: tuple[str, ...] = ()
) -> FloatArray:
    parameters = HierarchicalRiskParityParameters(lookback=lookback, min_observations=min_observations, tickers=tickers)
    weights: FloatArray = HIERARCHICAL_RISK_PARITY.target_weights(panel, np.array([row]), parameters)[0]
    return weights


def closes(n_assets: int, *, n_dates: int = 60) -> FloatArray:
    return random_panel(7, n_dates=n_dates, n_assets=n_assets).close_prices.copy()


def test_two_assets_share_in_inverse_proportion_to_their_variances() -> None:
    """Variances by the standard library, over the 25 returns that end at session 40."""
    values = closes(2)
    returns = [[values[t, asset] / values[t - 1, asset] - 1 for t in range(16, 41)] for asset in (0, 1)]
    first, second = variance(returns[0]), variance(returns[1])
    assert_allclose(allocated(panel_of(values), 40), [second / (first + second), first / (first + second)])


def test_the_covariance_is_that_of_the_simple_returns_of_the_window() -> None:
    """Covariance by pandas."""
    values = closes(6)
    covariance = pd.DataFrame(values[15:41]).pct_change().cov().to_numpy()
    assert_allclose(allocated(panel_of(values), 40), hierarchical_risk_parity(covariance))


def test_the_kind_of_tree_is_passed_on() -> None:
    values = closes(9)
    parameters = HierarchicalRiskParityParameters(lookback=LOOKBACK, linkage="ward")
    weights = HIERARCHICAL_RISK_PARITY.target_weights(panel_of(values), np.array([40]), parameters)[0]
    covariance = pd.DataFrame(values[15:41]).pct_change().cov().to_numpy()
    assert_allclose(weights, hierarchical_risk_parity(covariance, linkage="ward"))
    assert not np.allclose(weights, allocated(panel_of(values), 40))


def test_a_split_is_no_risk() -> None:
    values = closes(3)
    after_split = values.copy()
    after_split[30:, 1] /= 4
    actions = CorporateActions(
        rows=np.array([30]), columns=np.array([1]), split_ratios=np.array([4.0]), dividends=np.array([0.0])
    )
    assert_allclose(allocated(panel_of(after_split, actions=actions), 40), allocated(panel_of(values), 40))


def test_a_single_asset_gets_everything() -> None:
    assert_array_equal(allocated(panel_of(closes(1)), 40), [1.0])


@pytest.mark.parametrize("hole", [15, 28, 40])
def test_an_asset_with_a_hole_in_its_window_gets_nothing(hole: int) -> None:
    values = closes(3)
    values[hole, 1] = np.nan
    expected = allocated(panel_of(np.delete(values, 1, axis=1)), 40)
    assert_allclose(allocated(panel_of(values), 40), [expected[0], 0, expected[1]])


def test_a_hole_before_the_window_does_not_matter() -> None:
    values = closes(3)
    values[14, 1] = np.nan
    assert (allocated(panel_of(values), 40) > 0).all()


def test_an_asset_that_never_moved_gets_nothing() -> None:
    values = closes(3)
    values[:, 1] = 50.0
    weights = allocated(panel_of(values), 40)
    assert weights[1] == 0
    assert_allclose(weights.sum(), 1)


def test_an_asset_whose_return_varies_by_rounding_only_gets_nothing() -> None:
    """Cash that accrues 2 bps a session: unless ruled out, the variance of its rounding takes the whole portfolio."""
    values = closes(3)
    values[:, 1] = 100 * 1.0002 ** np.arange(60)
    weights = allocated(panel_of(values), 40)
    assert weights[1] == 0
    assert (weights[[0, 2]] > 0.01).all()


def test_nothing_that_moves_is_all_cash() -> None:
    assert_array_equal(allocated(panel_of(np.full((60, 2), 50.0)), 40), [0, 0])


def test_only_the_named_tickers_are_held() -> None:
    weights = allocated(panel_of(closes(3)), 40, tickers=("T000", "T002"))
    assert weights[1] == 0
    assert_allclose(weights.sum(), 1)


def test_a_history_of_as_many_returns_as_the_lookback_is_enough() -> None:
    panel = panel_of(closes(3))
    assert_array_equal(allocated(panel, LOOKBACK - 1), [0, 0, 0])
    assert_allclose(allocated(panel, LOOKBACK).sum(), 1)


def test_a_shorter_history_is_enough_where_fewer_returns_are_asked_for() -> None:
    """Forty wanted, thirty demanded: at session 30 the thirty there are decide."""
    panel = panel_of(closes(3))
    assert_array_equal(allocated(panel, 29, lookback=40, min_observations=30), [0, 0, 0])
    assert_allclose(
        allocated(panel, 30, lookback=40, min_observations=30),
        allocated(panel, 30, lookback=30),
    )
