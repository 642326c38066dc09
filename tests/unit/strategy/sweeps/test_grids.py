"""Trials stand where their parameters say, however they were listed."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from strategy.errors import ParameterError
from strategy.sweeps.grids import MOST_AXES, gridded


def test_trials_stand_in_the_order_of_their_values() -> None:
    parameters = [{"x": 2, "y": "b", "z": 1}, {"x": 10, "y": "a", "z": 1}, {"x": 2, "y": "a", "z": 1}]
    grid = gridded(parameters, ["x", "y", "z"])
    assert grid.axes == {"x": (2, 10), "y": ("b", "a")}  # an axis of one value is none
    assert grid.trials.tolist() == [[0, 2], [-1, 1]]
    np.testing.assert_array_equal(grid.laid_out(np.array([0.5, 1.5, 2.5])), [[0.5, 2.5], [np.nan, 1.5]])


def test_lists_and_flags_are_values_too() -> None:
    grid = gridded([{"x": [1, 2], "y": True}, {"x": [3], "y": False}], ["x", "y"])
    assert grid.axes == {"x": ([1, 2], [3]), "y": (True, False)}
    assert grid.trials.tolist() == [[0, -1], [-1, 1]]


def test_one_trial_is_a_grid_of_one_cell() -> None:
    grid = gridded([{"x": 1}], ["x"])
    assert (grid.axes, grid.trials.shape) == ({}, ())
    assert grid.laid_out(np.array([7.0])) == 7.0


def test_a_sample_is_no_grid() -> None:
    with pytest.raises(ParameterError, match="sample"):
        gridded([{"x": x, "y": -x} for x in range(71)], ["x", "y"])


def test_a_grid_of_too_many_axes_has_no_map() -> None:
    names = [f"x{number}" for number in range(MOST_AXES + 1)]
    with pytest.raises(ParameterError, match="at most 6 axes"):
        gridded([dict(zip(names, values, strict=True)) for values in product((0, 1), repeat=MOST_AXES + 1)], names)
