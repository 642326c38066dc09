"""Probability of backtest overfitting by combinatorially symmetric cross-validation (CSCV) [1]_.

1. Cut the sessions into an even number of blocks; each half of the blocks is in sample once, the other half out of it.
2. In sample, choose the trial with the highest Sharpe ratio.
3. Rank it out of sample among all trials. Overfitting is when the chosen one is no better than their median.

Sums and sums of squares of each block are all that a half needs, so nothing is copied per split: the splits are matrix
products, a few hundred of them at a time.

References
----------
.. [1] Bailey, D. H., Borwein, J. M., Lopez de Prado, M. and Zhu, Q. J. (2017). "The Probability of Backtest
   Overfitting". J. Computational Finance 20(4), 39-69.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import FloatArray
from strategy.validation.block_moments import BlockMoments

#: 20 blocks make 184,756 splits.
MOST_BLOCKS = 20
#: Elements of the largest array: 16 MB.
_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfitting:
    """What became of the choice of the best, over all splits.

    Parameters
    ----------
    in_sample, out_of_sample : ndarray of shape (n_splits,)
        Sharpe ratio per period of the chosen trial in the half it was chosen in, and in the other.
    logits : ndarray of shape (n_splits,)
        ``log(w / (1 - w))`` of its relative rank ``w = rank / (n_trials + 1)`` out of sample; 0 is the median.
    """

    in_sample: FloatArray
    out_of_sample: FloatArray
    logits: FloatArray

    @property
    def probability(self) -> float:
        """Share of splits in which the chosen trial is at or below the median out of sample: 0.5 for pure noise."""
        return float((self.logits <= 0).mean())

    @property
    def probability_of_loss(self) -> float:
        """Share of splits in which the chosen trial loses out of sample."""
        return float((self.out_of_sample < 0).mean())

    @property
    def degradation(self) -> float:
        """Slope of out-of-sample on in-sample Sharpe ratios; NaN when the latter do not vary.

        Halves complement each other, so that what is good in one half is bad in the other: about -1 for noise.
        """
        centred = self.in_sample - self.in_sample.mean()
        spread = float(centred @ centred)
        return float(centred @ self.out_of_sample) / spread if spread > 0 else float("nan")


def probability_of_overfitting(returns: FloatArray, *, n_blocks: int = 16) -> Overfitting:
    """Choose the best trial on every half of the sessions, and see where it ranks on the other half.

    Parameters
    ----------
    returns : ndarray of shape (n_dates, n_trials)
        Returns of each trial over the same dates; finite. A trial that does not vary has a Sharpe ratio of 0.
    n_blocks : int
        Even, 2 to `MOST_BLOCKS`. Their lengths differ by one date at most.

    Raises
    ------
    InsufficientHistoryError
        If a block would have fewer than two dates.
    StatisticError
        If there are fewer than two trials, a return is not finite, or `n_blocks` is odd or out of bounds.
    """
    _check(returns, n_blocks)
    halves = _halves(n_blocks)
    blocks = BlockMoments(returns, np.arange(n_blocks) * len(returns) // n_blocks)
    n_at_once = max(1, _AT_ONCE // returns.shape[1])
    parts = [_chosen(blocks, halves[first : first + n_at_once]) for first in range(0, len(halves), n_at_once)]
    in_sample, out_of_sample, ranks = (np.concatenate(values) for values in zip(*parts, strict=True))
    shares = ranks / (returns.shape[1] + 1)
    return Overfitting(in_sample=in_sample, out_of_sample=out_of_sample, logits=np.log(shares / (1 - shares)))


def _chosen(blocks: BlockMoments, halves: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sharpe ratio of the best in sample, of the same out of sample, and its rank there, ties in the middle."""
    inside, outside = blocks.sharpe_ratios(halves), blocks.sharpe_ratios(1 - halves)
    best = inside.argmax(axis=1)[:, np.newaxis]
    chosen = np.take_along_axis(outside, best, axis=1)
    below, level = (outside < chosen).sum(axis=1), (outside == chosen).sum(axis=1)
    return np.take_along_axis(inside, best, axis=1)[:, 0], chosen[:, 0], below + (level + 1) / 2


def _halves(n_blocks: int) -> FloatArray:
    chosen = np.array(list(combinations(range(n_blocks), n_blocks // 2)))
    halves = np.zeros((len(chosen), n_blocks))
    np.put_along_axis(halves, chosen, 1.0, axis=1)
    return halves


def _check(returns: FloatArray, n_blocks: int) -> None:
    if n_blocks % 2 or not 2 <= n_blocks <= MOST_BLOCKS:  # noqa: PLR2004  two halves
        raise StatisticError("n_blocks", n_blocks, f"must be even, 2 to {MOST_BLOCKS}")
    if returns.ndim != 2 or returns.shape[1] < 2:  # noqa: PLR2004  a matrix, a choice
        raise StatisticError("returns", returns.shape, "must be of shape (n_dates, n_trials) with two trials or more")
    if len(returns) < 2 * n_blocks:
        raise InsufficientHistoryError(f"{n_blocks} blocks of two dates or more", 2 * n_blocks, len(returns))
    if not np.isfinite(returns).all():
        raise StatisticError("returns", None, "must be finite; give the dates that all trials have in common")
