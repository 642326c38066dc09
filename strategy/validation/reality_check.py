"""Does the best of many trials beat a benchmark by more than luck: White's reality check and Hansen's SPA test.

1. Excess returns of every trial over the benchmark; their means, and the long-run variances of those.
2. Means of stationary-bootstrap samples: a sample is a count of how often each date was drawn, so that all of them are
   one matrix product, and no sample is ever laid out.
3. Centre them on the null hypothesis that no trial is better. The tests differ in how they treat bad trials.
4. The p-value is the share of samples whose best is at least as good as the best observed, the observed one counted.

References
----------
.. [1] White, H. (2000). "A Reality Check for Data Snooping". Econometrica 68(5), 1097-1126.
.. [2] Hansen, P. R. (2005). "A Test for Superior Predictive Ability". J. Business & Economic Statistics 23(4), 365-380.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from strategy.errors import StatisticError
from strategy.panel import FloatArray
from strategy.validation.bootstrap import FEWEST_OBSERVATIONS, optimal_block_length, stationary_bootstrap_rows

#: Elements of the largest array: 16 MB.
_AT_ONCE = 2_000_000


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
    excess = returns - benchmark[:, np.newaxis]
    means = excess.mean(axis=0)
    length = block_length or optimal_block_length(excess[:, int(means.argmax())])
    spreads = np.sqrt(_long_run_variances(excess - means, length))
    spreads[spreads <= np.abs(excess).max() * 1e-12] = np.inf  # equal to the benchmark but for rounding
    drawn = _Drawn(excess, length, generator)
    samples = drawn.means(n_samples) - means
    root = math.sqrt(len(returns))
    scores = root * means / spreads
    # By the law of the iterated logarithm a trial below this bound is worse for certain.
    is_clearly_worse = scores <= -math.sqrt(2 * math.log(math.log(len(returns))))
    shifts = {"lower": np.minimum(means, 0), "consistent": np.where(is_clearly_worse, means, 0), "upper": 0 * means}
    best = max(float(scores.max()), 0.0)
    return SuperiorAbility(
        best=int(scores.argmax()),
        statistic=best,
        reality_check=_p_value(samples.max(axis=1), float(means.max())),
        block_length=float(length),
        **{
            name: _p_value(np.maximum((root * (samples + shift) / spreads).max(axis=1), 0), best)
            for name, shift in shifts.items()
        },
    )


class _Drawn:
    """Bootstrap means of every trial."""

    def __init__(self, excess: FloatArray, block_length: float, generator: np.random.Generator) -> None:
        self._excess = excess
        self._block_length = block_length
        self._generator = generator

    def means(self, n_samples: int) -> FloatArray:
        """Shape (n_samples, n_trials)."""
        n_at_once = max(1, _AT_ONCE // len(self._excess))
        sizes = [min(n_at_once, n_samples - done) for done in range(0, n_samples, n_at_once)]
        return np.concatenate([self._counts(size) @ self._excess for size in sizes]) / len(self._excess)

    def _counts(self, n_samples: int) -> FloatArray:
        n = len(self._excess)
        rows = stationary_bootstrap_rows(
            n, n_samples=n_samples, block_length=self._block_length, generator=self._generator
        )
        rows += n * np.arange(n_samples)[:, np.newaxis]
        return np.bincount(rows.ravel(), minlength=n * n_samples).reshape(n_samples, n).astype(np.float64)


def _long_run_variances(deviations: FloatArray, block_length: float) -> FloatArray:
    """Variance of ``sqrt(n) * mean`` under the stationary bootstrap, exactly: Politis and Romano (1994), lemma 1.

    ``c(0) + 2 * sum over i of (1 - i / n) * (1 - 1 / block_length) ** i * c(i)``, c the circular autocovariances,
    which are the Fourier transform of the periodogram.
    """
    n, n_trials = deviations.shape
    lags = np.arange(n)
    weights = np.where(lags == 0, 1.0, 2 * (1 - lags / n) * (1 - 1 / block_length) ** lags)
    n_at_once = max(1, _AT_ONCE // n)
    parts = []
    for first in range(0, n_trials, n_at_once):
        powers = np.abs(np.fft.rfft(deviations[:, first : first + n_at_once], axis=0)) ** 2
        parts.append(weights @ np.fft.irfft(powers, n=n, axis=0) / n)
    variances: FloatArray = np.maximum(np.concatenate(parts), 0.0)
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
