"""The summary of a sweep: the best beside its doubt, the axes that it is stable along, and the walk forward."""

from __future__ import annotations

import numpy as np
import pytest

from strategy.sweeps.ratios import sharpe_ratios
from strategy.sweeps.summary import N_BOOTSTRAP, Summary, summary_of
from strategy.validation.overfitting import probability_of_overfitting
from strategy.validation.reality_check import superior_ability
from strategy.validation.sharpe import deflated_sharpe_ratio


def noise(n_sessions: int, n_trials: int) -> np.ndarray:
    return np.random.default_rng(7).normal(0.0, 0.01, (n_sessions, n_trials))


def summarised(returns: np.ndarray, parameters: list[dict[str, object]], axes: list[str]) -> Summary:
    """Summary beside a benchmark of cash."""
    cash, generator = np.zeros(len(returns)), np.random.default_rng(11)
    return summary_of(returns, parameters, axes, benchmark=cash, generator=generator, walk=None)


def test_the_best_of_noise_comes_with_figures_that_tell_it_is_noise() -> None:
    returns = noise(504, 40)
    found = summarised(returns, [{"x": number} for number in range(40)], ["x"])
    assert found.best is not None
    assert found.doubt is not None
    assert found.best == int(np.argmax(returns.mean(axis=0) / returns.std(axis=0, ddof=1)))
    assert found.doubt.overfitting == probability_of_overfitting(returns).probability
    assert found.doubt.deflated_sharpe is not None
    assert found.doubt.deflated_sharpe < 0.9
    assert (found.doubt.n_trials, found.doubt.n_independent) == (40, 40)


def test_the_sharpe_ratio_is_deflated_by_every_trial() -> None:
    returns = noise(504, 40)
    best = returns[:, [summarised(returns, [{"x": 0}] * 40, ["x"]).best or 0]]
    scores = (best - best.mean()) / best.std()
    expected = deflated_sharpe_ratio(
        float(best.mean() / best.std(ddof=1)),
        n_returns=504,
        skewness=float((scores**3).mean()),
        kurtosis=float((scores**4).mean()),
        n_trials=40,
        variance=float(sharpe_ratios(returns).var(ddof=1)),
    )
    found = summarised(returns, [{"x": 0}] * 40, ["x"])
    assert found.doubt is not None
    assert found.doubt.deflated_sharpe == pytest.approx(expected, abs=1e-12)


def test_a_planted_edge_is_found_and_not_doubted() -> None:
    returns = noise(1_008, 20)
    returns[:, 13] += 0.003
    found = summarised(returns, [{"x": number} for number in range(20)], ["x"])
    assert found.best == 13
    assert found.doubt is not None
    assert found.doubt.overfitting is not None
    assert found.doubt.overfitting < 0.01
    assert found.doubt.deflated_sharpe is not None
    assert found.doubt.deflated_sharpe > 0.99
    assert found.doubt.superior is not None
    assert (found.doubt.superior.best, found.doubt.reasons) == (13, ())
    assert max(found.doubt.superior.consistent, found.doubt.superior.reality_check) < 0.01


def test_trials_are_tested_against_the_benchmark_with_the_draws_that_are_given() -> None:
    returns, benchmark = noise(504, 10), noise(504, 11)[:, 10] + 0.002
    given = [np.random.default_rng(seed) for seed in (5, 5)]
    found = summary_of(returns, [{"x": 0}] * 10, ["x"], benchmark=benchmark, generator=given[0], walk=None)
    assert found.doubt is not None
    assert found.doubt.superior == superior_ability(returns, benchmark, generator=given[1], n_samples=N_BOOTSTRAP)
    assert found.doubt.superior.consistent > 0.5  # no trial is near it


def test_where_overfitting_cannot_be_told_the_reason_is() -> None:
    found = summarised(noise(20, 3), [{"x": 0}] * 3, ["x"])
    assert found.doubt is not None
    assert found.doubt.overfitting is None
    assert found.doubt.superior is not None  # 20 dates are enough for that
    (reason,) = found.doubt.reasons
    assert "blocks" in reason


def test_trials_that_do_not_vary_are_never_the_best() -> None:
    returns = noise(64, 3)
    returns[:, 0] = 0.01
    found = summarised(returns, [{"x": 0}] * 3, ["x"])
    assert found.best in {1, 2}
    assert summarised(np.zeros((64, 2)), [{"x": 0}] * 2, ["x"]).best is None


def test_stability_groups_the_trials_that_share_a_value() -> None:
    returns = noise(64, 4)
    parameters = [{"x": 1, "y": "a"}, {"x": 2, "y": "a"}, {"x": 1, "y": "b"}, {"x": 2, "y": "b"}]
    ratios = sharpe_ratios(returns)
    groups = summarised(returns, parameters, ["x", "y"]).groups
    assert [(it.axis, it.low, it.n_trials) for it in groups] == [("x", 1, 2), ("x", 2, 2), ("y", "a", 2), ("y", "b", 2)]
    assert (groups[0].least, groups[0].most) == (min(ratios[0], ratios[2]), max(ratios[0], ratios[2]))
    assert groups[0].median == pytest.approx((ratios[0] + ratios[2]) / 2)


def test_many_values_are_told_in_eight_groups_of_neighbours() -> None:
    groups = summarised(noise(64, 40), [{"x": 40 - number} for number in range(40)], ["x"]).groups
    assert [(it.low, it.high) for it in groups] == [(5 * k + 1, 5 * k + 5) for k in range(8)]
