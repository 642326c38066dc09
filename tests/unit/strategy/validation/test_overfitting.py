"""PBO where the truth is known: one half for noise, nothing for an edge, everything for a rule that reverts."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from strategy.errors import InsufficientHistoryError, StatisticError, StrategyError
from strategy.panel import FloatArray
from strategy.validation.overfitting import Overfitting, probability_of_overfitting


def noise(seed: int, *, n_dates: int, n_trials: int) -> FloatArray:
    return np.random.default_rng(seed).normal(0.0, 0.01, size=(n_dates, n_trials))


def by_the_letter(returns: FloatArray, n_blocks: int) -> Overfitting:
    """The algorithm of the paper, split by split, on copies of the returns."""
    blocks = np.split(returns, n_blocks)
    inside, outside, logits = [], [], []
    for chosen in combinations(range(n_blocks), n_blocks // 2):
        train = np.concatenate([blocks[block] for block in chosen])
        test = np.concatenate([blocks[block] for block in range(n_blocks) if block not in chosen])
        first, second = (part.mean(axis=0) / part.std(axis=0, ddof=1) for part in (train, test))
        best = int(first.argmax())
        share = (1 + (second < second[best]).sum()) / (returns.shape[1] + 1)
        inside.append(first[best])
        outside.append(second[best])
        logits.append(np.log(share / (1 - share)))
    return Overfitting(in_sample=np.array(inside), out_of_sample=np.array(outside), logits=np.array(logits))


@given(seed=st.integers(0, 2**32 - 1), n_blocks=st.sampled_from([2, 4, 6]), n_trials=st.integers(2, 9))
@settings(max_examples=20, deadline=None)
def test_it_is_the_algorithm_of_the_paper(seed: int, n_blocks: int, n_trials: int) -> None:
    returns = noise(seed, n_dates=60, n_trials=n_trials) + 0.001
    found, expected = probability_of_overfitting(returns, n_blocks=n_blocks), by_the_letter(returns, n_blocks)
    assert_allclose(found.in_sample, expected.in_sample, rtol=1e-9, atol=1e-12)
    assert_allclose(found.out_of_sample, expected.out_of_sample, rtol=1e-9, atol=1e-12)
    assert_allclose(found.logits, expected.logits, atol=1e-12)


def test_noise_has_a_probability_of_one_half_on_average() -> None:
    """Measured over 200 panels: mean 0.506, deviation 0.18; the mean of 100 lies within 3.5 standard errors, 0.063."""
    found = [probability_of_overfitting(noise(seed, n_dates=256, n_trials=50), n_blocks=8) for seed in range(100)]
    assert np.mean([it.probability for it in found]) == pytest.approx(0.5, abs=0.063)
    assert np.mean([it.probability_of_loss for it in found]) == pytest.approx(0.5, abs=0.063)


def test_a_planted_edge_is_not_overfitted() -> None:
    returns = noise(1, n_dates=1_000, n_trials=100)
    returns[:, 17] += 0.002
    found = probability_of_overfitting(returns, n_blocks=10)
    assert found.probability < 0.01
    assert found.probability_of_loss < 0.01


def test_what_is_good_in_one_half_and_bad_in_the_other_is_overfitted() -> None:
    """Each trial earns in its own fifth of the blocks what it loses evenly elsewhere."""
    returns = noise(2, n_dates=1_000, n_trials=10)
    for trial in range(10):
        returns[:, trial] -= 0.001
        returns[trial * 100 : (trial + 1) * 100, trial] += 0.01
    found = probability_of_overfitting(returns, n_blocks=10)
    assert found.probability > 0.9
    assert found.degradation < 0


def test_every_half_of_sixteen_blocks_is_in_sample_once() -> None:
    """The number of ways to choose 8 of 16: 12,870."""
    assert probability_of_overfitting(noise(3, n_dates=32, n_trials=3)).logits.size == 12_870


def test_blocks_of_unequal_length_lose_no_date() -> None:
    """Of 11 dates in 2 blocks the first has 5: the ratios are those of the halves."""
    returns = noise(4, n_dates=11, n_trials=2)
    found = probability_of_overfitting(returns, n_blocks=2)
    first = returns[:5].mean(axis=0) / returns[:5].std(axis=0, ddof=1)
    second = returns[5:].mean(axis=0) / returns[5:].std(axis=0, ddof=1)
    assert_allclose(found.in_sample, [first.max(), second.max()])
    assert_allclose(found.out_of_sample, [second[first.argmax()], first[second.argmax()]])


def test_a_trial_that_does_not_vary_has_a_ratio_of_zero() -> None:
    """So that cash beats what loses, and loses to what earns."""
    cash = np.full((40, 1), 0.0001)
    losers = noise(5, n_dates=40, n_trials=4) - 0.1
    found = probability_of_overfitting(np.hstack([losers, cash]), n_blocks=4)
    assert found.probability == 0
    assert (found.in_sample == 0).all()


def test_equal_trials_are_all_at_the_median() -> None:
    found = probability_of_overfitting(np.repeat(noise(6, n_dates=40, n_trials=1), 5, axis=1), n_blocks=4)
    assert_allclose(found.logits, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("returns", "n_blocks", "error"),
    [
        (np.ones((100, 3)), 7, StatisticError),
        (np.ones((100, 3)), 22, StatisticError),
        (np.ones((100, 1)), 4, StatisticError),
        (np.ones(100), 4, StatisticError),
        (np.full((100, 3), np.nan), 4, StatisticError),
        (np.ones((7, 3)), 4, InsufficientHistoryError),
    ],
)
def test_what_cannot_be_cross_validated_is_refused(
    returns: FloatArray, n_blocks: int, error: type[StrategyError]
) -> None:
    with pytest.raises(error):
        probability_of_overfitting(returns, n_blocks=n_blocks)
