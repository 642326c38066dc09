"""Sharpe ratios of many trials over any choice of blocks of dates, from the sums of each block."""

from __future__ import annotations

import numpy as np

from strategy.panel import FloatArray, IntArray


class BlockMoments:
    """Moments of every trial in every block, about the trial's own mean so that no digits cancel.

    Parameters
    ----------
    returns : ndarray of shape (n_dates, n_trials)
        Finite.
    starts : ndarray of shape (n_blocks,), intp
        First date of each block, from 0 on, increasing; a block ends where the next begins.
    """

    def __init__(self, returns: FloatArray, starts: IntArray) -> None:
        self._means = returns.mean(axis=0)
        deviations = returns - self._means
        self._counts = np.diff(starts, append=len(returns)).astype(np.float64)
        self._sums = np.add.reduceat(deviations, starts, axis=0)
        deviations *= deviations
        self._squares = np.add.reduceat(deviations, starts, axis=0)
        # Deviations this small are what rounding leaves of a trial that does not vary.
        self._floor = (np.abs(self._means) * 1e-12) ** 2

    def sharpe_ratios(self, chosen: FloatArray) -> FloatArray:
        """Sharpe ratio per period, shape (n_choices, n_trials), of the blocks that are 1 in rows of `chosen`, not 0.

        0 where a trial does not vary over them. Each choice has two dates or more.
        """
        counts = (chosen @ self._counts)[:, np.newaxis]
        means = chosen @ self._sums / counts
        variances = (chosen @ self._squares - counts * means**2) / (counts - 1)
        varies = variances > self._floor
        spreads = np.sqrt(np.where(varies, variances, 1.0))
        ratios: FloatArray = np.where(varies, (means + self._means) / spreads, 0.0)
        return ratios
