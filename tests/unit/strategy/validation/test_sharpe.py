"""Sharpe ratios discounted for length, shape and the number tried, against the figures of the papers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.errors import StatisticError
from strategy.validation.sharpe import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)

#: The worked example of Bailey and Lopez de Prado (2014): five years of daily returns, 250 a year, an annualised Sharpe
#: ratio of 2.5 as the best of 100 trials, whose annualised Sharpe ratios have a variance of 1/2.
SHARPE = 2.5 / math.sqrt(250)
VARIANCE = 0.5 / 250


def deflated(n_trials: int) -> float:
    return deflated_sharpe_ratio(
        SHARPE, n_returns=1250, skewness=-3.0, kurtosis=10.0, n_trials=n_trials, variance=VARIANCE
    )


def test_luck_gives_the_best_of_a_hundred_trials_what_the_paper_says() -> None:
    assert expected_maximum_sharpe(n_trials=100, variance=VARIANCE) == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(("n_trials", "published"), [(100, 0.9004), (46, 0.9505)])
def test_the_worked_example_of_the_paper_comes_out(n_trials: int, published: float) -> None:
    """Both figures are from the paper: 0.9004 is not significant, and with 46 trials it would have been."""
    assert deflated(n_trials) == pytest.approx(published, abs=5e-4)


def test_the_worked_example_comes_out_by_hand() -> None:
    """SR = 0.1581, SR0 = 0.1132; (0.15811 - 0.11323) * sqrt(1249) / sqrt(1 + 0.47434 + 2.25 * 0.025) = 1.2837."""
    assert deflated(100) == pytest.approx(0.5 * math.erfc(-1.2837 / math.sqrt(2)), abs=1e-3)


@pytest.mark.parametrize(("periods_per_year", "years"), [(250, 2.73), (52, 2.83), (12, 3.24)])
def test_the_minimum_track_record_of_normal_returns_is_the_papers(periods_per_year: int, years: float) -> None:
    """Bailey and Lopez de Prado (2012): an annualised 2 to be above 1, from daily, weekly and monthly returns."""
    root = math.sqrt(periods_per_year)
    length = minimum_track_record_length(2 / root, skewness=0.0, kurtosis=3.0, benchmark=1 / root)
    assert length / periods_per_year == pytest.approx(years, abs=5e-3)


def test_the_minimum_track_record_of_hedge_fund_returns_is_the_papers() -> None:
    """Bailey and Lopez de Prado (2012): monthly, skewness -0.72 and kurtosis 5.78, 4.99 years."""
    root = math.sqrt(12)
    length = minimum_track_record_length(2 / root, skewness=-0.72, kurtosis=5.78, benchmark=1 / root)
    assert length / 12 == pytest.approx(4.99, abs=5e-3)


def test_a_track_record_of_the_minimum_length_has_exactly_the_confidence() -> None:
    length = minimum_track_record_length(0.1, skewness=-0.5, kurtosis=6.0, benchmark=0.02, confidence=0.9)
    below, above = (
        probabilistic_sharpe_ratio(0.1, n_returns=n, skewness=-0.5, kurtosis=6.0, benchmark=0.02)
        for n in (math.floor(length), math.ceil(length))
    )
    assert below <= 0.9 <= above
    assert above - below < 1e-3


def test_a_sharpe_ratio_at_the_benchmark_is_as_likely_above_as_below() -> None:
    assert probabilistic_sharpe_ratio(0.1, n_returns=100, skewness=0.0, kurtosis=3.0, benchmark=0.1) == 0.5
    assert minimum_track_record_length(0.1, skewness=0.0, kurtosis=3.0, benchmark=0.1) == math.inf


def test_the_probability_is_that_of_simulated_samples() -> None:
    """Of 20,000 normal samples with a true ratio of 0.1, as many are above 0.2 as 0.1 is said to be below."""
    generator = np.random.default_rng(1)
    samples = generator.normal(0.1, 1.0, size=(20_000, 250))
    ratios = samples.mean(axis=1) / samples.std(axis=1, ddof=1)
    said = probabilistic_sharpe_ratio(0.1, n_returns=250, skewness=0.0, kurtosis=3.0, benchmark=0.2)
    # Three standard errors of the share of samples are 0.005.
    assert (ratios < 0.2).mean() == pytest.approx(1 - said, abs=0.01)


def test_one_trial_is_deflated_by_nothing() -> None:
    assert deflated(1) == probabilistic_sharpe_ratio(SHARPE, n_returns=1250, skewness=-3.0, kurtosis=10.0)


def test_the_expected_maximum_is_that_of_simulated_trials() -> None:
    """The best of 200 standard normals, 20,000 times: the formula errs by less than one percent."""
    best = np.random.default_rng(2).standard_normal((20_000, 200)).max(axis=1).mean()
    assert expected_maximum_sharpe(n_trials=200, variance=1.0) == pytest.approx(best, rel=0.01)


@given(n_trials=st.integers(1, 10**12), variance=st.floats(1e-6, 1.0))
def test_luck_grows_with_every_trial_and_by_less_each_time(n_trials: int, variance: float) -> None:
    first, second, fourth = (
        expected_maximum_sharpe(n_trials=n_trials * factor, variance=variance) for factor in (1, 2, 4)
    )
    assert first < second < fourth
    if n_trials > 1:
        assert fourth - second < second - first


def test_the_deflated_ratio_falls_smoothly_as_trials_grow() -> None:
    """Every doubling takes something, and nearly as much as the doubling before it."""
    falls = -np.diff([deflated(10 * 2**doublings) for doublings in range(28)])
    assert (falls > 0).all()
    assert deflated(10 * 2**27) < 0.01
    assert np.abs(np.diff(falls)).max() < 0.03


def test_undefined_moments_give_an_undefined_ratio() -> None:
    assert math.isnan(probabilistic_sharpe_ratio(math.nan, n_returns=10, skewness=0.0, kurtosis=3.0))
    assert math.isnan(probabilistic_sharpe_ratio(0.1, n_returns=10, skewness=math.nan, kurtosis=math.nan))
    assert math.isnan(expected_maximum_sharpe(n_trials=1, variance=math.nan))
    assert math.isnan(minimum_track_record_length(math.nan, skewness=0.0, kurtosis=3.0))


def test_a_coin_that_cannot_have_another_ratio_is_certain() -> None:
    """Kurtosis 1 + skewness ** 2 is of two outcomes; at ratio 2 / skewness the estimate does not vary."""
    found = [
        probabilistic_sharpe_ratio(2.0, n_returns=10, skewness=1.0, kurtosis=2.0, benchmark=benchmark)
        for benchmark in (1.0, 2.0, 3.0)
    ]
    assert found == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: probabilistic_sharpe_ratio(0.1, n_returns=1, skewness=0.0, kurtosis=3.0), "n_returns"),
        (lambda: probabilistic_sharpe_ratio(0.1, n_returns=9, skewness=0.0, kurtosis=0.0), "kurtosis"),
        (lambda: expected_maximum_sharpe(n_trials=0, variance=1.0), "n_trials"),
        (lambda: expected_maximum_sharpe(n_trials=5, variance=-1.0), "variance"),
        (lambda: minimum_track_record_length(0.1, skewness=0.0, kurtosis=3.0, confidence=1.0), "confidence"),
    ],
)
def test_figures_that_define_no_ratio_are_refused_by_name(call: object, field: str) -> None:
    assert callable(call)
    with pytest.raises(StatisticError) as caught:
        call()
    assert caught.value.field == field
