"""The stationary bootstrap: samples of a series that keep what its neighbours in time have in common.

Blocks of random length (geometric, of a given mean) are drawn from random places of the series, wrapped into a circle,
until the sample is as long as the series [1]_. How long they should be on average the series itself tells [2]_ [3]_.

References
----------
.. [1] Politis, D. N. and Romano, J. P. (1994). "The Stationary Bootstrap". J. American Statistical Association 89(428),
   1303-1313.
.. [2] Politis, D. N. and White, H. (2004). "Automatic Block-Length Selection for the Dependent Bootstrap".
   Econometric Reviews 23(1), 53-70.
.. [3] Patton, A., Politis, D. N. and White, H. (2009). "Correction to ...". Econometric Reviews 28(4), 372-375.
"""

from __future__ import annotations

import math

import numpy as np

from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import FloatArray, IntArray

#: Fewer observations than this have no autocorrelation to speak of.
FEWEST_OBSERVATIONS = 20


def stationary_bootstrap_rows(
    n_rows: int, *, n_samples: int, block_length: float, generator: np.random.Generator
) -> IntArray:
    """Rows of each sample, shape (n_samples, n_rows), intp [1]_.

    Parameters
    ----------
    n_rows : int
        Length of the series, and of a sample.
    n_samples : int
        1 or more.
    block_length : float
        Mean length of a block in rows, 1 or more; 1 draws every row on its own.
    generator : numpy Generator
        Source of randomness.

    Raises
    ------
    StatisticError
        If an argument is below 1.

    References
    ----------
    .. [1] See the module.
    """
    for name, value in {"n_rows": n_rows, "n_samples": n_samples, "block_length": block_length}.items():
        if not value >= 1:
            raise StatisticError(name, value, "must be 1 or more")
    begins = generator.random((n_samples, n_rows)) < 1 / block_length
    begins[:, 0] = True
    position = np.arange(n_rows)
    begun = np.maximum.accumulate(np.where(begins, position, 0), axis=1)
    drawn = generator.integers(n_rows, size=(n_samples, n_rows))
    rows: IntArray = (np.take_along_axis(drawn, begun, axis=1) + position - begun) % n_rows
    return rows


def optimal_block_length(values: FloatArray) -> float:
    """Mean block length that makes the variance of a bootstrapped mean most accurate [2]_ [3]_.

    The first lag from which on several autocorrelations in a row are insignificant bounds those that are used, by the
    convention of Patton's code: it is 1 at least.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Finite.

    Returns
    -------
    float
        Rows, 1 or more and at most ``min(3 * sqrt(n), n / 3)``; 1 when the values do not vary.

    Raises
    ------
    InsufficientHistoryError
        If there are fewer than `FEWEST_OBSERVATIONS`.

    References
    ----------
    .. [2] See the module.
    .. [3] See the module.
    """
    n = values.size
    if n < FEWEST_OBSERVATIONS:
        raise InsufficientHistoryError("an optimal block length", FEWEST_OBSERVATIONS, n)
    deviations = values - values.mean()
    n_run = max(5, int(math.log10(n)))
    n_lags = math.ceil(math.sqrt(n)) + n_run
    products = np.array([deviations[lag:] @ deviations[: n - lag] for lag in range(n_lags + 1)])
    if products[0] <= (np.abs(values).max() * 1e-12) ** 2 * n:
        return 1.0
    covariances = products / n
    lags = np.arange(1, min(2 * _insignificant_from(deviations, products, n_run), n_lags) + 1)
    # A trapezoid: flat to the half of the lags, then down to zero.
    window = np.minimum(1.0, 2 * (1 - lags / lags[-1]))
    spectrum = covariances[0] + 2 * float(window @ covariances[lags])
    slope = 2 * float((window * lags) @ covariances[lags])
    length = (slope**2 / spectrum**2 * n) ** (1 / 3) if spectrum != 0 else math.inf
    return float(np.clip(length, 1.0, math.ceil(min(3 * math.sqrt(n), n / 3))))


def _insignificant_from(deviations: FloatArray, products: FloatArray, n_run: int) -> int:
    """First lag of a run of insignificant autocorrelations; the last lag when there is none."""
    n = deviations.size
    squares = np.concatenate([[0.0], np.cumsum(deviations**2)])
    lags = np.arange(1, products.size)
    # Each against the spread of the observations that it pairs.
    scale = np.sqrt((squares[n] - squares[lags]) * squares[n - lags])
    significant = np.abs(products[lags]) >= 2 * math.sqrt(math.log10(n) / n) * scale
    runs = np.lib.stride_tricks.sliding_window_view(~significant, n_run).all(axis=1)
    return int(lags[np.argmax(runs)]) if runs.any() else int(lags[-1])
