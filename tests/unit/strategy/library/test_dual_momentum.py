"""Dual momentum on four assets: every expectation is worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from strategy.adjustments import CorporateActions
from strategy.library.dual_momentum import DUAL_MOMENTUM, DualMomentumParameters
from strategy.panel import FloatArray, PricePanel
from support.panels import panel_of

#: Over the last two sessions: +20 %, +10 %, -10 %, 0 %. Over the two before the last: 0 %, 0 %, +50 %, -50 %.
CLOSES = np.array(
    [
        [10.0, 10.0, 8.0, 20.0],
        [10.0, 10.0, 10.0, 10.0],
        [10.0, 10.0, 12.0, 10.0],
        [12.0, 11.0, 9.0, 10.0],
    ]
)


def chosen(closes: FloatArray = CLOSES, **values: Any) -> FloatArray:  # Any: raw parameters of several types
    """Weights of the last session with a lookback of two."""
    panel = panel_of(closes)
    return last_weights(panel, **values)


def last_weights(panel: PricePanel, **values: Any) -> FloatArray:  # Any: raw parameters of several types
    parameters = DualMomentumParameters(**{"lookback": 2, **values})
    weights: FloatArray = DUAL_MOMENTUM.target_weights(panel, np.array([panel.n_dates - 1]), parameters)[0]
    return weights


def test_the_strongest_are_held_in_equal_parts() -> None:
    assert_array_equal(chosen(top_n=2), [0.5, 0.5, 0, 0])


def test_the_part_of_an_asset_that_misses_the_hurdle_is_cash() -> None:
    assert_allclose(chosen(top_n=3), [1 / 3, 1 / 3, 0, 0])


def test_a_return_equal_to_the_hurdle_misses_it() -> None:
    assert_allclose(chosen(top_n=4), [1 / 4, 1 / 4, 0, 0])


def test_more_parts_than_assets_leave_the_rest_in_cash() -> None:
    assert_allclose(chosen(top_n=10), [0.1, 0.1, 0, 0])


def test_equal_returns_go_by_ticker() -> None:
    """Every second of sixty assets gains 20 %, the others 10 %; so many that an unstable sort would mix them."""
    closes = np.full((3, 60), 10.0)
    closes[2, 0::2], closes[2, 1::2] = 12.0, 11.0
    assert_array_equal(np.flatnonzero(chosen(closes, top_n=5)), [0, 2, 4, 6, 8])


def test_skipped_sessions_are_not_looked_at() -> None:
    """With the last session skipped the span is sessions 0 to 2, in which the third gains 50 %."""
    assert_array_equal(chosen(top_n=1, skip=1), [0, 0, 1, 0])


@pytest.mark.parametrize(
    ("rate", "periods_per_year", "expected"),
    [
        pytest.param(0.15, 2, [0.5, 0, 0, 0], id="a lookback of one year: 15 %"),
        pytest.param(0.09, 1, [0.5, 0, 0, 0], id="of two years: 1.09 squared less 1 is 18.81 %"),
        pytest.param(0.098, 1, [0, 0, 0, 0], id="of two years: 1.098 squared less 1 is 20.56 %"),
        pytest.param(0.21, 4, [0.5, 0.5, 0, 0], id="of half a year: the root of 1.21 less 1 is 10 %"),
    ],
)
def test_the_hurdle_is_compounded_over_the_lookback(rate: float, periods_per_year: int, expected: list[float]) -> None:
    """The second gains 10.3 %, so that half of 21 % would be too high a hurdle for it."""
    closes = CLOSES.copy()
    closes[3, 1] = 11.03
    assert_array_equal(chosen(closes, top_n=2, risk_free_rate=rate, periods_per_year=periods_per_year), expected)


def test_a_negative_hurdle_admits_a_small_loss() -> None:
    """Of +20, +10, 0 and -10 %: three exceed -5 %."""
    assert_array_equal(chosen(top_n=4, risk_free_rate=-0.05, periods_per_year=2), [0.25, 0.25, 0, 0.25])


def test_defensive_assets_take_the_parts_of_those_that_miss_the_hurdle() -> None:
    assert_allclose(chosen(top_n=3, defensive=("T002",)), [1 / 3, 1 / 3, 1 / 3, 0])


def test_defensive_assets_share_equally() -> None:
    assert_allclose(chosen(top_n=4, defensive=("T002", "T003")), [1 / 4, 1 / 4, 1 / 4, 1 / 4])


def test_a_defensive_asset_is_not_picked_for_its_strength() -> None:
    assert_array_equal(chosen(top_n=1, defensive=("T000",)), [0, 1, 0, 0])


def test_a_defensive_asset_without_a_close_leaves_its_part_to_the_other() -> None:
    closes = CLOSES.copy()
    closes[3, 2] = np.nan
    assert_array_equal(chosen(closes, top_n=4, defensive=("T002", "T003")), [0.25, 0.25, 0, 0.5])


def test_no_defensive_asset_with_a_close_means_cash() -> None:
    closes = CLOSES.copy()
    closes[3, 2] = np.nan
    assert_array_equal(chosen(closes, top_n=4, defensive=("T002",)), [0.25, 0.25, 0, 0])


def test_an_asset_without_a_close_at_the_start_of_the_span_is_not_ranked() -> None:
    closes = CLOSES.copy()
    closes[1, 0] = np.nan
    assert_array_equal(chosen(closes, top_n=1), [0, 1, 0, 0])


def test_a_gap_inside_the_span_does_not_matter() -> None:
    closes = CLOSES.copy()
    closes[2, 0] = np.nan
    assert_array_equal(chosen(closes, top_n=1), [1, 0, 0, 0])


def test_before_there_is_a_span_everything_is_defensive() -> None:
    parameters = DualMomentumParameters(lookback=2, defensive=("T003",))
    weights = DUAL_MOMENTUM.target_weights(panel_of(CLOSES), np.array([0, 1]), parameters)
    assert_array_equal(weights, [[0, 0, 0, 1], [0, 0, 0, 1]])


def test_dividends_count_as_return() -> None:
    """The last asset pays 5 on 10: its 0 % becomes 50 %, above the 20 % of the first."""
    actions = CorporateActions(
        rows=np.array([3]), columns=np.array([3]), split_ratios=np.array([1.0]), dividends=np.array([5.0])
    )
    assert_array_equal(last_weights(panel_of(CLOSES, actions=actions), top_n=1), [0, 0, 0, 1])


def test_rows_are_decided_together_as_each_alone() -> None:
    parameters = DualMomentumParameters(lookback=2, top_n=1)
    together = DUAL_MOMENTUM.target_weights(panel_of(CLOSES), np.array([2, 3]), parameters)
    assert_array_equal(together, [[0, 0, 1, 0], [1, 0, 0, 0]])
