"""The tests reject as often as they say on noise, and find an edge; figures beside another library's."""

from __future__ import annotations

import numpy as np
import pytest

from strategy.errors import StatisticError
from strategy.panel import FloatArray
from strategy.validation.reality_check import SuperiorAbility, _long_run_variances, superior_ability


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
