"""Buy and hold: every expectation is worked out by hand."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from strategy.adjustments import CorporateActions
from strategy.library.buy_and_hold import BUY_AND_HOLD, BuyAndHoldParameters
from strategy.panel import FloatArray, PricePanel
from support.panels import panel_of


def held(panel: PricePanel, rows: list[int], *tickers: str) -> FloatArray:
    parameters = BuyAndHoldParameters(tickers=tickers)
    return BUY_AND_HOLD.target_weights(panel, np.array(rows, dtype=np.intp), parameters)


def one_action(*, split: float = 1.0, dividend: float = 0.0) -> CorporateActions:
    """On the second session, of the first asset."""
    return CorporateActions(
        rows=np.array([1]),
        columns=np.array([0]),
        split_ratios=np.array([split]),
        dividends=np.array([dividend]),
    )


def test_it_is_bought_once() -> None:
    assert BUY_AND_HOLD.rebalance == "once"


def test_every_active_asset_gets_an_equal_part() -> None:
    panel = panel_of(np.array([[10.0, 20.0, 40.0, np.nan]]))
    assert_allclose(held(panel, [0]), [[1 / 3, 1 / 3, 1 / 3, 0]])


def test_only_the_named_tickers_are_bought() -> None:
    panel = panel_of(np.array([[10.0, 20.0, 40.0]]))
    assert_array_equal(held(panel, [0], "T002", "T000"), [[0.5, 0, 0.5]])


def test_later_weights_are_those_to_which_the_holding_has_drifted() -> None:
    """The first doubles, the second stays: 2 to 1."""
    panel = panel_of(np.array([[10.0, 7.0], [20.0, 7.0]]))
    assert_allclose(held(panel, [0, 1]), [[0.5, 0.5], [2 / 3, 1 / 3]])


def test_drift_counts_from_the_first_decision_and_not_from_the_first_session() -> None:
    panel = panel_of(np.array([[1.0, 7.0], [10.0, 7.0], [30.0, 7.0]]))
    assert_allclose(held(panel, [1, 2]), [[0.5, 0.5], [0.75, 0.25]])


def test_a_split_does_not_move_the_weights() -> None:
    panel = panel_of(np.array([[10.0, 7.0], [5.0, 7.0]]), actions=one_action(split=2.0))
    assert_allclose(held(panel, [0, 1])[1], [0.5, 0.5])


def test_a_dividend_is_reinvested_in_the_asset_that_paid_it() -> None:
    """10 in shares and 10 in cash beside 10 of the other."""
    panel = panel_of(np.array([[10.0, 7.0], [10.0, 7.0]]), actions=one_action(dividend=10.0))
    assert_allclose(held(panel, [0, 1])[1], [2 / 3, 1 / 3])


def test_the_part_of_an_asset_that_ended_is_cash_at_its_last_price() -> None:
    """Values 20, 10 (ended), 10: the ended quarter is no longer invested."""
    panel = panel_of(np.array([[10.0, 7.0, 3.0], [20.0, 7.0, 3.0], [20.0, np.nan, 3.0]]))
    assert_allclose(held(panel, [0, 1, 2])[2], [0.5, 0, 0.25])


def test_an_asset_listed_after_the_first_decision_is_never_bought() -> None:
    panel = panel_of(np.array([[10.0, np.nan], [10.0, 5.0]]))
    assert_array_equal(held(panel, [0, 1]), [[1, 0], [1, 0]])


def test_nothing_to_buy_at_first_is_cash_for_good() -> None:
    panel = panel_of(np.array([[np.nan, np.nan], [10.0, 5.0]]))
    assert_array_equal(held(panel, [0, 1]), np.zeros((2, 2)))
