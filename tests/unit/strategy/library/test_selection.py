"""Which assets are picked."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from strategy.library.selection import largest


@given(seed=st.integers(0, 2**32 - 1), n_largest=st.integers(1, 12))
@settings(deadline=None, max_examples=50)
def test_the_largest_are_those_that_a_stable_sort_puts_first(seed: int, n_largest: int) -> None:
    """Scores of five values only, so that most are tied, and some missing."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 5, size=(4, 10)).astype(np.float64)
    scores[rng.random(scores.shape) < 0.2] = np.nan
    expected = np.zeros(scores.shape, dtype=np.bool_)
    for row, values in enumerate(scores.tolist()):
        known = [column for column, value in enumerate(values) if not math.isnan(value)]
        expected[row, sorted(known, key=lambda column: (-values[column], column))[:n_largest]] = True
    assert_array_equal(largest(scores, n_largest), expected)
