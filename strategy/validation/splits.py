"""Ways to part sessions into those that a rule is fitted on and those that judge it, without a leak between them.

Rows are positions in time, 0 to `n_dates` - 1. Two gaps keep what was learned from touching what judges it [1]_:

- `purge` rows on either side of every test row are in no training set: as many as a decision looks back or its outcome
  takes, so that both share no observation;
- `embargo` rows more after them: what follows a test is still coloured by it.

References
----------
.. [1] Lopez de Prado, M. (2018). "Advances in Financial Machine Learning", chapters 7 and 12. Wiley.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import BoolArray, FloatArray, IntArray

#: More splits than this are no validation but a day of waiting.
MOST_SPLITS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Rows to train on and rows to test on; each sorted and without repeats, of shape (n_train,) and (n_test,)."""

    train: IntArray
    test: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinatorialSplits:
    """Every choice of test groups, and the paths through time that their tests make up.

    Parameters
    ----------
    splits : tuple of Split
    groups : ndarray of shape (n_dates,), intp
        Group of each row.
    paths : ndarray of shape (n_paths, n_groups), intp
        Which split tests a group on a path. Every test of every split is on exactly one path.
    """

    splits: tuple[Split, ...]
    groups: IntArray
    paths: IntArray

    def path_returns(self, returns: FloatArray) -> FloatArray:
        """One whole history for each path, shape (n_paths, n_dates), each row of it out of sample.

        Parameters
        ----------
        returns : ndarray of shape (n_splits, n_dates)
            What the rule fitted in each split returned; only its test rows are read.
        """
        expected = (len(self.splits), self.groups.size)
        if returns.shape != expected:
            raise StatisticError("returns", returns.shape, f"must be of shape (n_splits, n_dates), here {expected}")
        paths: FloatArray = returns[self.paths[:, self.groups], np.arange(self.groups.size)]
        return paths


def walk_forward(
    n_dates: int, *, n_train: int, n_test: int, purge: int = 0, is_anchored: bool = False
) -> tuple[Split, ...]:
    """Train on the past, test on what follows, move on by one test.

    Parameters
    ----------
    n_dates : int
        Rows in all. Tests follow each other without gap or overlap; the last one may be shorter.
    n_train : int
        Rows of a training set; of the first one where `is_anchored`.
    n_test : int
        Rows of a test.
    purge : int
        Rows between training and test that are in neither.
    is_anchored : bool
        Whether training sets all begin at row 0 and grow; otherwise they roll.

    Raises
    ------
    InsufficientHistoryError
        If there is no row left to test on.
    StatisticError
        If a size is not positive, a gap is negative, or there would be more than `MOST_SPLITS`.
    """
    _require_positive(n_train=n_train, n_test=n_test)
    _require_gaps(purge=purge)
    first_test = n_train + purge
    if first_test >= n_dates:
        raise InsufficientHistoryError("a walk-forward split", first_test + 1, n_dates)
    _require_few(math.ceil((n_dates - first_test) / n_test))
    splits = []
    for begin in range(first_test, n_dates, n_test):
        stop = begin - purge
        train = np.arange(0 if is_anchored else stop - n_train, stop)
        splits.append(Split(train=train, test=np.arange(begin, min(begin + n_test, n_dates))))
    return tuple(splits)


def purged_k_fold(n_dates: int, *, n_folds: int, purge: int = 0, embargo: int = 0) -> tuple[Split, ...]:
    """Each fold of consecutive rows is a test once; the rest but the gaps around it trains.

    Parameters
    ----------
    n_dates : int
        Rows in all.
    n_folds : int
        2 or more; their sizes differ by one row at most.
    purge, embargo : int
        See the module.

    Raises
    ------
    InsufficientHistoryError
        If a fold is empty, or the gaps leave nothing to train on.
    """
    return combinatorial_purged(n_dates, n_groups=n_folds, n_test_groups=1, purge=purge, embargo=embargo).splits


def combinatorial_purged(
    n_dates: int, *, n_groups: int, n_test_groups: int, purge: int = 0, embargo: int = 0
) -> CombinatorialSplits:
    """Every choice of `n_test_groups` of `n_groups` groups of consecutive rows is a test once.

    There are ``n_splits = binomial(n_groups, n_test_groups)`` of them, which make up
    ``n_splits * n_test_groups / n_groups`` paths.

    Parameters
    ----------
    n_dates : int
        Rows in all.
    n_groups, n_test_groups : int
        2 or more groups, of sizes that differ by one row at most; at least one is tested and one is not.
    purge, embargo : int
        See the module.

    Raises
    ------
    InsufficientHistoryError
        If a group is empty, or the gaps leave some split nothing to train on.
    StatisticError
        If the counts do not fit together, a gap is negative, or there would be more than `MOST_SPLITS`.
    """
    _require_positive(n_groups=n_groups, n_test_groups=n_test_groups)
    _require_gaps(purge=purge, embargo=embargo)
    if n_test_groups >= n_groups:
        raise StatisticError("n_test_groups", n_test_groups, f"must be below the number of groups, {n_groups}")
    if n_dates < n_groups:
        raise InsufficientHistoryError(f"{n_groups} groups of rows", n_groups, n_dates)
    _require_few(math.comb(n_groups, n_test_groups))
    groups = np.arange(n_dates) * n_groups // n_dates
    choices = np.array(list(combinations(range(n_groups), n_test_groups)), dtype=np.intp)
    splits = tuple(_split(np.isin(groups, choice), purge, embargo) for choice in choices)
    return CombinatorialSplits(splits=splits, groups=groups.astype(np.intp), paths=_paths(choices, n_groups))


def _split(is_test: BoolArray, purge: int, embargo: int) -> Split:
    test = np.flatnonzero(is_test)
    # Row r lies in a gap if a test row is in r - purge - embargo ... r + purge; counts of test rows tell.
    counts = np.concatenate([[0], np.cumsum(is_test)])
    rows = np.arange(is_test.size)
    begin = np.maximum(rows - purge - embargo, 0)
    stop = np.minimum(rows + purge + 1, is_test.size)
    train = np.flatnonzero(counts[stop] == counts[begin])
    if train.size == 0:
        raise InsufficientHistoryError(f"training outside a purge of {purge} and an embargo of {embargo}", 1, 0)
    return Split(train=train, test=test)


def _paths(choices: IntArray, n_groups: int) -> IntArray:
    """The p-th path takes each group from the p-th split that tests it."""
    return np.array([np.flatnonzero((choices == group).any(axis=1)) for group in range(n_groups)], dtype=np.intp).T


def _require_positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise StatisticError(name, size, "must be 1 or more")


def _require_gaps(**gaps: int) -> None:
    for name, gap in gaps.items():
        if gap < 0:
            raise StatisticError(name, gap, "must be 0 or more")


def _require_few(n_splits: int) -> None:
    if n_splits > MOST_SPLITS:
        raise StatisticError("n_splits", n_splits, f"is more than {MOST_SPLITS}; ask for larger or fewer parts")
