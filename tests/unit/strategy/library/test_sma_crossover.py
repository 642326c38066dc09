"""Moving-average crossover: every expectation is worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from strategy.errors import ParameterError
from strategy.library.sma_crossover import SMA_CROSSOVER, SmaCrossoverParameters
from strategy.registry import parsed_parameters
from strategy.signals.moving_average import moving_average
from support.panels import panel_of

#: Means of two: -, 11, 11, 9.5, 10.5; of three: -, -, 32/3, 31/3, 31/3.
RISING = np.array([10.0, 12.0, 10.0, 9.0, 12.0])
TWO_AND_THREE = SmaCrossoverParameters(fast=2, slow=3)


def test_an_average_is_of_closes_and_begins_when_there_are_enough() -> None:
    assert_array_equal(moving_average(np.array([1.0, np.nan, 3.0, 5.0]), 2), [np.nan, np.nan, 2.0, 4.0])


def test_an_average_of_more_closes_than_there_are_is_unknown() -> None:
    assert np.isnan(moving_average(RISING, 6)).all()


def test_it_holds_while_the_fast_average_is_above_the_slow_one() -> None:
    weights = SMA_CROSSOVER.target_weights(panel_of(RISING[:, np.newaxis]), np.arange(5), TWO_AND_THREE)
    assert_array_equal(weights[:, 0], [0, 0, 1, 0, 1])


def test_equal_averages_are_cash() -> None:
    weights = SMA_CROSSOVER.target_weights(panel_of(np.full((5, 1), 10.0)), np.arange(5), TWO_AND_THREE)
    assert not weights.any()


def test_each_candidate_has_an_equal_part_whether_it_is_held_or_not() -> None:
    closes = np.column_stack([RISING, RISING, np.full(5, 10.0)])
    weights = SMA_CROSSOVER.target_weights(panel_of(closes), np.array([4]), TWO_AND_THREE)
    assert_array_equal(weights, [[1 / 3, 1 / 3, 0]])


def test_a_named_ticker_is_timed_alone() -> None:
    parameters = SmaCrossoverParameters(fast=2, slow=3, tickers=("T001",))
    weights = SMA_CROSSOVER.target_weights(panel_of(np.column_stack([RISING, RISING])), np.array([4]), parameters)
    assert_array_equal(weights, [[0, 1]])


def test_a_fast_average_that_is_not_faster_is_refused() -> None:
    with pytest.raises(ParameterError, match="fast=20 must be less than slow=20"):
        parsed_parameters(SMA_CROSSOVER, {"fast": 20, "slow": 20})
