"""Choosing the best of many trials, judged out of sample by purged cross-validation.

1. In each split the trial with the highest Sharpe ratio over the training rows is chosen.
2. Its returns on the test rows are put together along the paths of the splits (`CombinatorialSplits.paths`): one whole
   history out of sample for each. Purged k-fold has one path, combinatorial purged cross-validation several [1]_.
3. The Sharpe ratios of the paths are a distribution: what choosing in this way gives, with its spread.

Rows between two changes of any split's training or test set are one block, whose sums are all that a split needs.

References
----------
.. [1] Lopez de Prado, M. (2018). "Advances in Financial Machine Learning", chapter 12. Wiley.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import BoolArray, FloatArray, IntArray
from strategy.validation.block_moments import BlockMoments
from strategy.validation.splits import CombinatorialSplits

#: Elements of the largest array: 16 MB.
_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """What became of the choice of the best, over all splits; Sharpe ratios per period, 0 where nothing varies.

    Parameters
    ----------
    chosen : ndarray of shape (n_splits,), intp
        Trial chosen in each split, the first of equal ones.
    train_sharpe, test_sharpe : ndarray of shape (n_splits,)
        Its ratio over the training rows and over the test rows.
    path_sharpe : ndarray of shape (n_paths,)
        Of each whole history out of sample.
    """

    chosen: IntArray
    train_sharpe: FloatArray
    test_sharpe: FloatArray
    path_sharpe: FloatArray


def cross_validated(returns: FloatArray, made: CombinatorialSplits) -> CrossValidation:
    """Choose the best trial in every split, and judge it by the rows that it was not chosen on.

    Parameters
    ----------
    returns : ndarray of shape (n_dates, n_trials)
        Returns of each trial over the same dates; finite.
    made : CombinatorialSplits
        Of those dates.

    Raises
    ------
    InsufficientHistoryError
        If a training or a test set has fewer than two rows.
    StatisticError
        If the splits are of other dates, there is no trial, or a return is not finite.
    """
    _check(returns, made)
    train, test = (_masks([getattr(split, name) for split in made.splits], len(returns)) for name in ("train", "test"))
    is_change = (np.diff(train, axis=1) | np.diff(test, axis=1)).any(axis=0)
    starts = np.concatenate([[0], np.flatnonzero(is_change) + 1])
    blocks = BlockMoments(returns, starts)
    n_at_once = max(1, _AT_ONCE // returns.shape[1])
    parts = [
        _chosen(blocks, train[first : first + n_at_once, starts], test[first : first + n_at_once, starts])
        for first in range(0, len(train), n_at_once)
    ]
    chosen, inside, outside = (np.concatenate(values) for values in zip(*parts, strict=True))
    paths = np.array([_path(returns, chosen[splits][made.groups]) for splits in made.paths])
    whole = np.ones((1, 1))
    ratios = [
        BlockMoments(path[:, np.newaxis], np.zeros(1, dtype=np.intp)).sharpe_ratios(whole)[0, 0] for path in paths
    ]
    return CrossValidation(chosen=chosen, train_sharpe=inside, test_sharpe=outside, path_sharpe=np.array(ratios))


def _path(returns: FloatArray, trials: IntArray) -> FloatArray:
    """On each date the return of its trial."""
    path: FloatArray = returns[np.arange(len(returns)), trials]
    return path


def _chosen(blocks: BlockMoments, train: BoolArray, test: BoolArray) -> tuple[IntArray, FloatArray, FloatArray]:
    inside = blocks.sharpe_ratios(train.astype(np.float64))
    outside = blocks.sharpe_ratios(test.astype(np.float64))
    best = inside.argmax(axis=1)
    rows = np.arange(best.size)
    return best, inside[rows, best], outside[rows, best]


def _masks(sets: list[IntArray], n_dates: int) -> BoolArray:
    """Shape (n_splits, n_dates)."""
    masks = np.zeros((len(sets), n_dates), dtype=np.bool_)
    for mask, rows in zip(masks, sets, strict=True):
        mask[rows] = True
    return masks


def _check(returns: FloatArray, made: CombinatorialSplits) -> None:
    if returns.ndim != 2 or returns.shape[1] == 0:  # noqa: PLR2004  a matrix
        raise StatisticError("returns", returns.shape, "must be of shape (n_dates, n_trials) with a trial or more")
    if len(returns) != made.groups.size:
        raise StatisticError("splits", made.groups.size, f"are not of the {len(returns)} dates of the trials")
    if not (np.isfinite(returns.min()) and np.isfinite(returns.max())):
        raise StatisticError("returns", None, "must be finite; give the dates that all trials have in common")
    least = min(min(split.train.size, split.test.size) for split in made.splits)
    if least < 2:  # noqa: PLR2004  one return has no spread
        raise InsufficientHistoryError("a Sharpe ratio of every training and test set", 2, least)
