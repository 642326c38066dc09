"""The tests reject as often as they say on noise, and find an edge; figures beside another library's."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from strategy.errors import StatisticError
from strategy.panel import FloatArray
from strategy.validation.bootstrap import stationary_bootstrap_rows
from strategy.validation.reality_check import (
    SuperiorAbility,
    _best_of_samples,
    _long_run_variances,
    _Trials,
    superior_ability,
)


def eight_trials() -> FloatArray:
    """Noise, but for one trial that is better than zero and one that is clearly worse."""
    returns = np.random.default_rng(7).standard_normal((600, 8)) * 0.01
    returns[:, 3] += 0.0009
    returns[:, 5] -= 0.003
    return returns


def ability(
    returns: FloatArray, *, seed: int = 1, n_samples: int = 1_000, block_length: float = 5.0
) -> SuperiorAbility:
    benchmark = np.zeros(len(returns))
    generator = np.random.default_rng(seed)
    return superior_ability(returns, benchmark, generator=generator, n_samples=n_samples, block_length=block_length)


def by_the_letter(returns: FloatArray, benchmark: FloatArray, *, seed: int, n_samples: int) -> dict[str, float]:
    """Hansen (2005), section 3: every sample laid out, every trial at once; blocks of five dates."""
    excess = returns - benchmark[:, np.newaxis]
    n, root = len(excess), np.sqrt(len(excess))
    means = excess.mean(axis=0)
    spreads = np.sqrt(_long_run_variances(excess - means, 5.0))
    rows = stationary_bootstrap_rows(n, n_samples=n_samples, block_length=5.0, generator=np.random.default_rng(seed))
    samples = np.array([excess[row].mean(axis=0) for row in rows])
    kept = root * means / spreads > -np.sqrt(2 * np.log(np.log(n)))
    nulls = {"lower": np.maximum(means, 0), "consistent": np.where(kept, means, 0), "upper": means}
    observed = max((root * means / spreads).max(), 0)
    found = {
        name: np.maximum((root * (samples - null) / spreads).max(axis=1), 0) >= observed for name, null in nulls.items()
    }
    found["reality_check"] = (samples - means).max(axis=1) >= means.max()
    return {name: (1 + is_as_good.sum()) / (1 + n_samples) for name, is_as_good in found.items()}


def test_trials_in_parts_give_what_all_at_once_give() -> None:
    """40,000 trials of 60 dates are two parts."""
    generator = np.random.default_rng(9)
    returns, benchmark = generator.normal(0.0, 0.01, (60, 40_000)), generator.normal(0.001, 0.01, 60)
    found = superior_ability(returns, benchmark, generator=np.random.default_rng(2), n_samples=40, block_length=5.0)
    expected = by_the_letter(returns, benchmark, seed=2, n_samples=40)
    assert {name: getattr(found, name) for name in expected} == pytest.approx(expected, abs=1e-12)


def test_the_best_of_three_samples_by_hand() -> None:
    """Four dates, so that the root is 2 and a trial is clearly worse from -0.81 on; every spread is 1.

    Means are 0.5, -1 (clearly worse) and -0.2. The samples draw the first, second and last date four times. Less their
    means the trials are then 0.5, 4, -0.8; -1.5, -4, -0.6; and -0.5, 0, 2.2: the reality check takes the largest. The
    others double them, less two means: of the clearly worse trial (consistent), of both bad ones (lower), of none.
    """
    excess = np.array([[1.0, 3.0, -1.0], [-1.0, -5.0, -0.8], [2.0, -1.0, -1.0], [0.0, -1.0, 2.0]])
    counts = 4.0 * np.eye(4)[[0, 1, 3]]
    found = _best_of_samples(_Trials(excess, np.zeros(4)), excess.mean(axis=0), np.ones(3), [counts[:2], counts[2:]])
    assert found == pytest.approx(
        np.array([[6.0, 0.0, 4.0], [6.0, 0.0, 4.4], [8.0, 0.0, 4.4], [4.0, -0.6, 2.2]]), abs=1e-12
    )


def test_memory_does_not_grow_with_the_trials() -> None:
    """Beside returns of 80 MB: two arrays of 64 MB at most."""
    returns = np.random.default_rng(4).normal(0.0, 0.01, (500, 20_000))
    tracemalloc.start()
    superior_ability(returns, np.zeros(500), generator=np.random.default_rng(0), n_samples=30)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 128e6


def test_long_run_variances_are_those_of_arch() -> None:
    """`arch` 8.0.0, SPA(block_size=5, nested=False)._loss_diff_var of the first three trials."""
    returns = eight_trials()
    found = _long_run_variances(returns - returns.mean(axis=0), 5.0)[:3]
    assert found == pytest.approx([1.06201180e-04, 9.65459970e-05, 9.79146598e-05], rel=1e-8)


def test_p_values_are_those_of_arch() -> None:
    """`arch` 8.0.0 with 20,000 samples. It does not studentise, so that it is asked about studentised returns.

    The standard error of the difference of two such p-values is at most 0.004.
    """
    returns = eight_trials()
    scaled = returns / np.sqrt(_long_run_variances(returns - returns.mean(axis=0), 5.0))
    found = ability(scaled, n_samples=20_000)
    assert found.lower == pytest.approx(0.12855, abs=0.012)
    assert found.consistent == pytest.approx(0.15235, abs=0.012)
    assert found.upper == pytest.approx(0.19625, abs=0.012)
    assert ability(returns, n_samples=20_000).reality_check == pytest.approx(0.1492, abs=0.012)


def test_studentised_tests_do_not_care_how_a_trial_is_scaled() -> None:
    returns = eight_trials()
    scaled = ability(returns * np.array([1, 2, 3, 4, 5, 6, 7, 8.0]))
    assert scaled.consistent == ability(returns).consistent
    assert scaled.best == 3


def test_noise_is_rejected_about_as_often_as_it_should_be() -> None:
    """At 10 %, 250 panels: three standard errors are 0.057, and 0.02 is for spreads that are estimated."""
    panels = (np.random.default_rng(seed).standard_normal((250, 20)) for seed in range(250))
    found = [ability(panel, n_samples=200, block_length=1.0) for panel in panels]
    p_values = np.array([(it.consistent, it.upper, it.reality_check) for it in found])
    assert (p_values <= 0.1).mean(axis=0) == pytest.approx(np.full(3, 0.1), abs=0.077)


def test_a_planted_edge_is_found_among_five_hundred_trials() -> None:
    returns = np.random.default_rng(3).normal(0.0, 0.01, size=(1_000, 500))
    returns[:, 123] += 0.002
    found = superior_ability(returns, np.zeros(1_000), generator=np.random.default_rng(4), n_samples=500)
    assert found.best == 123
    assert max(found.lower, found.consistent, found.upper, found.reality_check) < 0.01


def test_bad_trials_weaken_the_reality_check_and_not_the_consistent_test() -> None:
    """Hansen's reason for the test: a crowd of wild losers hides an edge from White's."""
    generator = np.random.default_rng(5)
    good = generator.normal(0.0015, 0.01, size=(500, 1))
    bad = generator.normal(-0.02, 0.1, size=(500, 100))
    found = ability(np.hstack([good, bad]))
    assert found.consistent < 0.05 < found.reality_check


@pytest.mark.parametrize("seed", range(5))
def test_the_three_p_values_are_in_order(seed: int) -> None:
    returns = np.random.default_rng(seed).normal(-0.05, 1.0, size=(200, 12))
    found = ability(returns, seed=seed, n_samples=300)
    assert 0 < found.lower <= found.consistent <= found.upper <= 1


def test_the_benchmark_itself_is_no_better_than_itself() -> None:
    benchmark = np.random.default_rng(6).normal(0.0, 0.01, size=100)
    found = superior_ability(benchmark[:, np.newaxis], benchmark, generator=np.random.default_rng(0), n_samples=50)
    assert found.statistic == 0
    assert found.consistent == found.reality_check == 1


def test_what_cannot_be_tested_is_refused() -> None:
    generator = np.random.default_rng(0)
    with pytest.raises(StatisticError, match="benchmark"):
        superior_ability(np.ones((30, 2)), np.ones(29), generator=generator)
    with pytest.raises(StatisticError, match="20 dates"):
        superior_ability(np.ones((19, 2)), np.ones(19), generator=generator)
    with pytest.raises(StatisticError, match="finite"):
        superior_ability(np.full((30, 2), np.nan), np.ones(30), generator=generator)
    with pytest.raises(StatisticError, match="shape"):
        superior_ability(np.ones(30), np.ones(30), generator=generator)
