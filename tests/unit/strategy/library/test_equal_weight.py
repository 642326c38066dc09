"""Equal weight."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from strategy.adjustments import CorporateActions
from strategy.library.equal_weight import EQUAL_WEIGHT, EqualWeightParameters
from strategy.panel import PricePanel
from support.panels import business_days, panel_of

PANEL = panel_of(np.array([[10.0, 20.0, np.nan], [11.0, 19.0, 5.0]]))


def test_each_row_holds_equal_parts_of_what_is_active_on_it() -> None:
    weights = EQUAL_WEIGHT.target_weights(PANEL, np.array([0, 1]), EqualWeightParameters())
    assert_allclose(weights, [[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]])


def test_a_named_ticker_that_is_not_active_leaves_its_part_to_the_others() -> None:
    weights = EQUAL_WEIGHT.target_weights(PANEL, np.array([0, 1]), EqualWeightParameters(tickers=("T001", "T002")))
    assert_array_equal(weights, [[0, 1, 0], [0, 0.5, 0.5]])


def test_a_ticker_named_twice_is_held_once() -> None:
    weights = EQUAL_WEIGHT.target_weights(PANEL, np.array([1]), EqualWeightParameters(tickers=("T001", "T001", "T002")))
    assert_array_equal(weights, [[0, 0.5, 0.5]])


def test_an_asset_outside_the_universe_is_not_held() -> None:
    panel = PricePanel(
        sessions=business_days(1),
        tickers=("A", "B"),
        fields={"close": np.array([[1.0, 2.0]])},
        actions=CorporateActions.none(),
        member=np.array([[True, False]]),
    )
    assert_array_equal(EQUAL_WEIGHT.target_weights(panel, np.array([0]), EqualWeightParameters()), [[1, 0]])
