"""Momentum on one asset, by hand."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from strategy.signals.momentum import momentum

PRICES = np.array([[10.0], [20.0], [15.0], [30.0], [np.nan], [45.0]])


def test_it_is_the_simple_return_over_the_lookback() -> None:
    assert_allclose(momentum(PRICES, np.array([2, 3]), lookback=2), [[0.5], [0.5]])


def test_it_ends_before_the_skipped_sessions() -> None:
    """30 over 20, seen from session 5 with two skipped."""
    assert_allclose(momentum(PRICES, np.array([5]), lookback=2, skip=2), [[0.5]])


def test_a_missing_close_at_either_end_gives_nan() -> None:
    assert np.isnan(momentum(PRICES, np.array([4, 5]), lookback=1)).all()


def test_a_missing_close_between_the_ends_does_not_matter() -> None:
    assert_allclose(momentum(PRICES, np.array([5]), lookback=2), [[0.5]])


def test_a_span_that_begins_before_the_first_session_gives_nan() -> None:
    assert np.isnan(momentum(PRICES, np.array([0, 1, 2]), lookback=3)).all()
    assert np.isnan(momentum(PRICES, np.array([3]), lookback=3, skip=1)).all()


def test_no_row_gives_no_row() -> None:
    assert momentum(PRICES, np.empty(0, dtype=np.intp), lookback=2).shape == (0, 1)
