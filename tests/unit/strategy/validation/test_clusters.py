"""Trials that resemble each other count once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import FloatArray
from strategy.validation.clusters import MOST_TRIALS, _mean_silhouette, effective_trials


def families(seed: int, *, n_families: int, n_each: int, correlation: float) -> FloatArray:
    """Trials in families, in random order: within one they correlate, between two they do not."""
    generator = np.random.default_rng(seed)
    factors = np.repeat(generator.standard_normal((500, n_families)), n_each, axis=1)
    own = generator.standard_normal(factors.shape)
    returns: FloatArray = np.sqrt(correlation) * factors + np.sqrt(1 - correlation) * own
    return returns[:, generator.permutation(returns.shape[1])]


@pytest.mark.parametrize("n_families", [2, 5, 20])
@pytest.mark.parametrize("correlation", [0.7, 0.95])
def test_families_are_counted(n_families: int, correlation: float) -> None:
    assert effective_trials(families(3, n_families=n_families, n_each=8, correlation=correlation)) == n_families


@pytest.mark.parametrize("seed", range(3))
def test_independent_trials_count_each(seed: int) -> None:
    assert effective_trials(np.random.default_rng(seed).standard_normal((1_000, 60))) == 60


def test_trials_with_one_common_factor_count_each() -> None:
    """Their Sharpe ratios differ by what they do not share, and of that there is one each."""
    assert effective_trials(families(4, n_families=1, n_each=40, correlation=0.6)) == 40


def test_copies_count_once() -> None:
    one = np.random.default_rng(5).standard_normal((100, 1))
    assert effective_trials(np.repeat(one, 30, axis=1) * np.linspace(1, 2, 30)) == 1


def test_a_trial_and_its_opposite_are_two() -> None:
    one = np.random.default_rng(6).standard_normal((100, 1))
    assert effective_trials(np.hstack([one, one, -one, -one])) == 2


def test_trials_that_do_not_vary_are_one_more() -> None:
    returns = families(7, n_families=3, n_each=6, correlation=0.9)
    assert effective_trials(np.hstack([returns, np.zeros((500, 4))])) == 4
    assert effective_trials(np.zeros((10, 3))) == 1
    assert effective_trials(returns[:, :1]) == 1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_trials=st.integers(2, 12))
def test_the_order_of_trials_does_not_matter(seed: int, n_trials: int) -> None:
    generator = np.random.default_rng(seed)
    returns = generator.standard_normal((40, 3))[:, generator.integers(3, size=n_trials)]
    returns = returns + 0.1 * generator.standard_normal(returns.shape)
    found = effective_trials(returns)
    assert found == effective_trials(returns[:, ::-1])
    assert 1 <= found <= n_trials


def test_the_silhouette_is_the_one_computed_by_hand() -> None:
    """Two at distance 1 and one at 4 and 5 of them: (1 - 1/4), (1 - 1/5) and 0 on its own."""
    distances = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 5.0], [4.0, 5.0, 0.0]])
    assert _mean_silhouette(distances, np.array([0, 2])) == pytest.approx((0.75 + 0.8 + 0) / 3)


def test_what_cannot_be_clustered_is_refused() -> None:
    with pytest.raises(InsufficientHistoryError):
        effective_trials(np.ones((2, 5)))
    with pytest.raises(StatisticError, match="finite"):
        effective_trials(np.full((5, 2), np.nan))
    with pytest.raises(StatisticError, match="sample"):
        effective_trials(np.ones((5, MOST_TRIALS + 1)))
    with pytest.raises(StatisticError, match="shape"):
        effective_trials(np.ones(5))
