"""A plateau scores 1, a lone peak next to nothing, and the map is the neighbourhood drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from strategy.errors import StatisticError
from strategy.validation.stability import stability_map


def test_the_neighbourhood_is_the_one_drawn_by_hand() -> None:
    found = stability_map(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, np.nan]]))
    assert_allclose(found.mean[0], [(1 + 2 + 4 + 5) / 4, (1 + 2 + 3 + 4 + 5 + 6) / 6, (2 + 3 + 5 + 6) / 4])
    assert_allclose(found.mean[1, 1], 36 / 8)
    assert_allclose(found.minimum[1], [1.0, 1.0, 2.0])
    assert np.isnan(found.mean[2, 2])
    assert np.isnan(found.minimum[2, 2])


def test_a_plateau_is_told_from_a_lone_peak() -> None:
    """A block of 1 amid 0 and a lone 2: the peak's nine cells have the mean 2 / 9, and 2 / 9 over 2 is 1 / 9."""
    values = np.zeros((12, 12))
    values[1:6, 1:6] = 1.0
    values[9, 9] = 2.0
    found = stability_map(values)
    assert found.plateau[3, 3] == 1.0
    assert found.plateau[9, 9] == pytest.approx(1 / 9)
    assert np.isnan(found.plateau[0, 11])
    assert all(2 <= index <= 4 for index in found.most_stable)


def test_one_axis_or_three_work_alike() -> None:
    line = np.array([0.0, 0.0, 3.0, 0.0, 0.0])
    assert_allclose(stability_map(line).mean, [0, 1, 1, 1, 0])
    cube = np.zeros((3, 3, 3))
    cube[1, 1, 1] = 27.0
    assert stability_map(cube).mean[1, 1, 1] == 1.0
    assert stability_map(cube).mean[0, 0, 0] == 27 / 8


def test_what_has_no_map_is_refused() -> None:
    with pytest.raises(StatisticError):
        stability_map(np.full((2, 2), np.nan))
    with pytest.raises(StatisticError):
        stability_map(np.array([1.0, np.inf]))
