"""Does the best of many trials beat a benchmark by more than luck: White's reality check and Hansen's SPA test.

1. Excess returns of every trial over the benchmark; their means, and the long-run variances of those.
2. Means of stationary-bootstrap samples: a sample is a count of how often each date was drawn, so that all of them are
   one matrix product, and no sample is ever laid out.
3. Centre them on the null hypothesis that no trial is better. The tests differ in how they treat bad trials.
4. The p-value is the share of samples whose best is at least as good as the best observed, the observed one counted.

All of it goes through the trials some columns at a time, and through the samples some hundreds at a time: of a sample
only the best trial so far is kept. Beside the returns it needs no more memory for 20,000 trials than for 400.

References
----------
.. [1] White, H. (2000). "A Reality Check for Data Snooping". Econometrica 68(5), 1097-1126.
.. [2] Hansen, P. R. (2005). "A Test for Superior Predictive Ability". J. Business & Economic Statistics 23(4), 365-380.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from strategy.errors import StatisticError
from strategy.panel import FloatArray
from strategy.validation.bootstrap import FEWEST_OBSERVATIONS, optimal_block_length, stationary_bootstrap_rows

#: Elements of the largest array: 16 MB. There are at most six of that size at a time.
_AT_ONCE = 2_000_000
#: Kinds of p-values, in the order of `_Best.samples`.
_KINDS = ("lower", "consistent", "upper", "reality_check")


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperiorAbility:
    """p-values of the hypothesis that no trial is better than the benchmark.

    Parameters
    ----------
    best : int
        Column of the trial with the highest studentised mean.
    statistic : float
        That mean times the root of n; 0 where no trial is better.
    lower, consistent, upper : float
        Hansen's three: trials worse than the benchmark are left out, left out where clearly worse, or counted as if
        they were as good. lower <= consistent <= upper. `consistent` is the one to quote.
    reality_check : float
        White's, of means that are not studentised.
    block_length : float
        Mean length of the bootstrap's blocks, in dates.
    """

    best: int
    statistic: float
    lower: float
    consistent: float
    upper: float
    reality_check: float
    block_length: float


def superior_ability(
    returns: FloatArray,
    benchmark: FloatArray,
    *,
    generator: np.random.Generator,
    n_samples: int = 1_000,
    block_length: float | None = None,
) -> SuperiorAbility:
    """Test the best of the trials against the benchmark.

    Parameters
    ----------
    returns : ndarray of shape (n_dates, n_trials)
        Returns of each trial; finite.
    benchmark : ndarray of shape (n_dates,)
        Returns to beat over the same dates; zeros for none. A trial that always equals it counts as no better.
    generator : numpy Generator
        Source of the bootstrap.
    n_samples : int
        Bootstrap samples.
    block_length : float or None
        Mean length of a block; None: optimal for the excess returns of the trial with the highest mean.

    Raises
    ------
    StatisticError
        If shapes do not fit, there are fewer than `FEWEST_OBSERVATIONS` dates, or a return is not finite.
    """
    _check(returns, benchmark)
    trials = _Trials(returns, benchmark)
    means, scale = trials.means_and_scale()
    length = block_length or optimal_block_length(
        trials.excess(slice(int(means.argmax()), int(means.argmax()) + 1))[:, 0]
    )
    spreads = np.sqrt(
        np.concatenate([_long_run_variances(part - part.mean(axis=0), length) for part in trials.parts()])
    )
    spreads[spreads <= scale * 1e-12] = np.inf  # equal to the benchmark but for rounding
    root = math.sqrt(len(returns))
    scores = root * means / spreads
    best = max(float(scores.max()), 0.0)
    observed = dict.fromkeys(_KINDS[:3], best) | {"reality_check": float(means.max())}
    samples = _best_of_samples(trials, means, spreads, _counts(len(returns), n_samples, length, generator))
    return SuperiorAbility(
        best=int(scores.argmax()),
        statistic=best,
        block_length=float(length),
        **{kind: _p_value(row, observed[kind]) for kind, row in zip(_KINDS, samples, strict=True)},
    )


@dataclass(frozen=True, slots=True)
class _Trials:
    """Excess returns, some trials at a time."""

    returns: FloatArray
    benchmark: FloatArray

    def excess(self, columns: slice) -> FloatArray:
        """Shape (n_dates, n_columns)."""
        return self.returns[:, columns] - self.benchmark[:, np.newaxis]

    def columns(self) -> list[slice]:
        """Parts of the trials, none of more than `_AT_ONCE` elements unless it is one trial."""
        n_dates, n_trials = self.returns.shape
        size = max(1, _AT_ONCE // n_dates)
        return [slice(first, first + size) for first in range(0, n_trials, size)]

    def parts(self) -> Iterator[FloatArray]:
        """Excess returns of each part in turn."""
        return (self.excess(columns) for columns in self.columns())

    def means_and_scale(self) -> tuple[FloatArray, float]:
        """Mean excess return of each trial, and the largest absolute one of any trial on any date."""
        found = [(part.mean(axis=0), float(np.abs(part).max())) for part in self.parts()]
        return np.concatenate([means for means, _ in found]), max(largest for _, largest in found)


def _best_of_samples(
    trials: _Trials, means: FloatArray, spreads: FloatArray, drawn: Iterable[FloatArray]
) -> FloatArray:
    """What the best trial of each sample has under each null hypothesis, shape (len(_KINDS), n_samples)."""
    root = math.sqrt(len(trials.returns))
    # By the law of the iterated logarithm a trial below this bound is worse for certain.
    is_clearly_worse = root * means / spreads <= -math.sqrt(2 * math.log(math.log(len(trials.returns))))
    shifts = (np.minimum(means, 0), np.where(is_clearly_worse, means, 0), 0 * means)
    found = []
    for counts in drawn:
        best = np.full((len(_KINDS), len(counts)), -np.inf)
        best[:3] = 0.0  # not to take part is no worse than the benchmark
        for columns in trials.columns():
            samples = counts @ trials.excess(columns) / len(trials.returns) - means[columns]
            for number, shift in enumerate(shifts):
                scores = root * (samples + shift[columns]) / spreads[columns]
                np.maximum(best[number], scores.max(axis=1), out=best[number])
            np.maximum(best[3], samples.max(axis=1), out=best[3])
        found.append(best)
    return np.concatenate(found, axis=1)


def _counts(n: int, n_samples: int, block_length: float, generator: np.random.Generator) -> Iterator[FloatArray]:
    """How often each date is drawn in each sample, some samples at a time, each part of shape (n_some, n)."""
    n_at_once = max(1, _AT_ONCE // n)
    for first in range(0, n_samples, n_at_once):
        size = min(n_at_once, n_samples - first)
        rows = stationary_bootstrap_rows(n, n_samples=size, block_length=block_length, generator=generator)
        rows += n * np.arange(size)[:, np.newaxis]
        yield np.bincount(rows.ravel(), minlength=n * size).reshape(size, n).astype(np.float64)


def _long_run_variances(deviations: FloatArray, block_length: float) -> FloatArray:
    """Variance of ``sqrt(n) * mean`` under the stationary bootstrap, exactly: Politis and Romano (1994), lemma 1.

    ``c(0) + 2 * sum over i of (1 - i / n) * (1 - 1 / block_length) ** i * c(i)``, c the circular autocovariances,
    which are the Fourier transform of the periodogram.
    """
    n = len(deviations)
    lags = np.arange(n)
    weights = np.where(lags == 0, 1.0, 2 * (1 - lags / n) * (1 - 1 / block_length) ** lags)
    powers = np.abs(np.fft.rfft(deviations, axis=0)) ** 2
    variances: FloatArray = np.maximum(weights @ np.fft.irfft(powers, n=n, axis=0) / n, 0.0)
    return variances


def _p_value(samples: FloatArray, observed: float) -> float:
    return float((1 + (samples >= observed).sum()) / (1 + samples.size))


def _check(returns: FloatArray, benchmark: FloatArray) -> None:
    if returns.ndim != 2 or returns.shape[1] == 0:  # noqa: PLR2004  a matrix
        raise StatisticError("returns", returns.shape, "must be of shape (n_dates, n_trials) with a trial or more")
    if benchmark.shape != returns.shape[:1]:
        raise StatisticError("benchmark", benchmark.shape, f"must have the {len(returns)} dates of the trials")
    if len(returns) < FEWEST_OBSERVATIONS:
        raise StatisticError("returns", len(returns), f"must have {FEWEST_OBSERVATIONS} dates or more")
    if not (np.isfinite(returns).all() and np.isfinite(benchmark).all()):
        raise StatisticError("returns", None, "must be finite; give the dates that all trials have in common")
