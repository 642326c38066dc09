"""Trials that resemble each other count once."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import FloatArray
from strategy.validation.clusters import _mean_silhouette, effective_trials


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


@pytest.mark.parametrize(("n_families", "correlation"), [(3, 0.7), (12, 0.7), (40, 0.7), (40, 0.95), (100, 0.9)])
def test_a_sample_counts_what_all_trials_do(n_families: int, correlation: float) -> None:
    """About 400 trials exactly, and by samples of 80 and of 300: distinct families come out the same to 3 %."""
    returns = families(8, n_families=n_families, n_each=400 // n_families, correlation=correlation)
    exact = effective_trials(returns)
    assert exact == pytest.approx(n_families, rel=0.03)
    assert [effective_trials(returns, n_exact=n_exact) for n_exact in (80, 300)] == pytest.approx([exact] * 2, rel=0.03)


def test_without_structure_in_the_sample_every_trial_counts() -> None:
    returns = np.random.default_rng(9).standard_normal((500, 300))
    assert effective_trials(returns, n_exact=100) == effective_trials(returns) == 300


def test_trials_that_the_sample_did_not_see_are_not_swallowed_by_its_clusters() -> None:
    """Two families of 150 and 10 trials of their own, of which a sample of 60 has one or two."""
    own = np.random.default_rng(10).standard_normal((500, 10))
    returns = np.hstack([families(11, n_families=2, n_each=150, correlation=0.9), own])
    assert effective_trials(returns) <= effective_trials(returns, n_exact=60) <= 12


def test_copies_count_once_by_a_sample_too() -> None:
    one = np.random.default_rng(5).standard_normal((100, 2))
    assert effective_trials(np.repeat(one[:, :1], 50, axis=1), n_exact=10) == 1
    assert effective_trials(one[:, [0] * 49 + [1]], n_exact=10) == 2


def test_memory_grows_with_the_sample_and_not_with_the_trials() -> None:
    """Of 8,000 trials, 64 MB, not one copy is made: only of the sample, and of some that are compared with it."""
    returns = np.tile(families(13, n_families=5, n_each=20, correlation=0.9), (2, 80))
    tracemalloc.start()
    assert effective_trials(returns, n_exact=200) == 5
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert returns.nbytes == 64e6
    assert peak < 50e6


def test_the_silhouette_is_the_one_computed_by_hand() -> None:
    """Two at distance 1 and one at 4 and 5 of them: (1 - 1/4), (1 - 1/5) and 0 on its own."""
    distances = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 5.0], [4.0, 5.0, 0.0]])
    assert _mean_silhouette(distances, np.array([0, 2])) == pytest.approx((0.75 + 0.8 + 0) / 3)


def test_what_cannot_be_clustered_is_refused() -> None:
    with pytest.raises(InsufficientHistoryError):
        effective_trials(np.ones((2, 5)))
    with pytest.raises(StatisticError, match="finite"):
        effective_trials(np.full((5, 2), np.nan))
    with pytest.raises(StatisticError, match="shape"):
        effective_trials(np.ones(5))
