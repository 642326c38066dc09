"""The choice of the best is judged where it was not made: beside a plain loop, and where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import FloatArray
from strategy.validation.cross_validation import cross_validated
from strategy.validation.splits import combinatorial_purged


def noise(seed: int, n_dates: int, n_trials: int) -> FloatArray:
    return np.random.default_rng(seed).normal(0.0, 0.01, (n_dates, n_trials))


def ratio(returns: FloatArray) -> FloatArray:
    found: FloatArray = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    return found


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_groups=st.integers(3, 6),
    n_test_groups=st.integers(1, 2),
    purge=st.integers(0, 3),
    embargo=st.integers(0, 3),
)
def test_every_split_and_path_is_that_of_a_plain_loop(
    seed: int, n_groups: int, n_test_groups: int, purge: int, embargo: int
) -> None:
    returns = noise(seed, 80, 5)
    made = combinatorial_purged(80, n_groups=n_groups, n_test_groups=n_test_groups, purge=purge, embargo=embargo)
    found = cross_validated(returns, made)
    chosen = [int(ratio(returns[split.train]).argmax()) for split in made.splits]
    assert found.chosen.tolist() == chosen
    pairs = list(zip(made.splits, chosen, strict=True))
    assert found.train_sharpe == pytest.approx(
        [ratio(returns[split.train, trial]) for split, trial in pairs], abs=1e-12
    )
    assert found.test_sharpe == pytest.approx([ratio(returns[split.test, trial]) for split, trial in pairs], abs=1e-12)
    laid = np.array([returns[:, trial] for trial in chosen])
    assert found.path_sharpe == pytest.approx(ratio(made.path_returns(laid).T), abs=1e-12)


def test_two_folds_by_hand() -> None:
    """Trial 0 gains in the first half, trial 1 in the second: each fold chooses the one that loses in the other."""
    wave = np.array([0.01, 0.03, 0.01, 0.03])
    returns = np.column_stack([np.concatenate([wave, -wave]), np.concatenate([-wave, wave])])
    found = cross_validated(returns, combinatorial_purged(8, n_groups=2, n_test_groups=1))
    assert found.chosen.tolist() == [1, 0]  # fold 0 tests the first half
    # Mean 0.02, deviations of 0.01 four times, so a spread of 0.01 * sqrt(4 / 3): 2 / sqrt(4 / 3) = sqrt(3).
    assert found.train_sharpe == pytest.approx([np.sqrt(3)] * 2)
    assert found.test_sharpe == pytest.approx([-np.sqrt(3)] * 2)
    # The one path loses 0.01 and 0.03 in turn, eight times: 2 / sqrt(8 / 7).
    assert found.path_sharpe == pytest.approx([-2 / np.sqrt(8 / 7)])


def test_the_best_of_noise_is_nothing_out_of_sample() -> None:
    """Mean over 40 panels of 11 paths; one path's ratio has a standard error of 1 / sqrt(600) = 0.04."""
    made = combinatorial_purged(600, n_groups=12, n_test_groups=2, purge=5)
    ratios = np.array([cross_validated(noise(seed, 600, 30), made).path_sharpe.mean() for seed in range(40)])
    assert abs(ratios.mean()) < 3 * 0.04 / np.sqrt(40)


def test_a_planted_edge_is_chosen_everywhere_and_stays() -> None:
    returns = noise(3, 1_000, 40)
    returns[:, 17] += 0.002
    found = cross_validated(returns, combinatorial_purged(1_000, n_groups=10, n_test_groups=2, purge=10, embargo=5))
    assert set(found.chosen.tolist()) == {17}
    assert found.path_sharpe == pytest.approx(np.full(9, ratio(returns[:, 17])))


def test_what_cannot_be_judged_is_refused() -> None:
    made = combinatorial_purged(40, n_groups=4, n_test_groups=1)
    with pytest.raises(StatisticError, match="39 dates"):
        cross_validated(noise(1, 39, 2), made)
    with pytest.raises(StatisticError, match="finite"):
        cross_validated(np.full((40, 2), np.nan), made)
    with pytest.raises(StatisticError, match="shape"):
        cross_validated(np.empty((40, 0)), made)
    with pytest.raises(InsufficientHistoryError, match="needs 2"):
        cross_validated(noise(1, 4, 2), combinatorial_purged(4, n_groups=4, n_test_groups=1))
