"""How many independent trials there are among trials that resemble each other.

1. Distance of two trials: one minus the correlation of their returns.
2. The tree of trials by agglomerative clustering with average linkage.
3. The cut of the tree with the highest mean silhouette, a trial on its own counting zero [1]_.
4. Below the silhouette at which there is "no substantial structure" (0.25 [1]_), every trial counts.

Step 4 is on the side of caution, and for trials that share one common factor it is exact: the deflated Sharpe ratio
scales by the variance across trials, which a common factor does not change.

The idea, to count clusters by their silhouettes, is [2]_'s; the tree replaces its repeated k-means, so that the
answer needs no random numbers.

More than `MOST_TRIALS` trials are counted by a sample, always the same one:

5. Steps 1 to 4 for the sample. Without structure in it, every trial counts.
6. A trial outside it joins the cluster to which its mean distance is least, if its silhouette there is substantial.
   Trials that join none are counted in the same way, and added.

That is approximate: a family with few members in the sample may not be seen as one, and a sample may have too little
structure where all trials have some. Both count too many, which deflates a Sharpe ratio too much rather than too
little. Where families are distinct, and the sample has a few members of each, the count is that of all trials to some
per cent (tests/unit/strategy/validation/test_clusters.py has both side by side).

References
----------
.. [1] Kaufman, L. and Rousseeuw, P. J. (1990). "Finding Groups in Data", chapter 2. Wiley.
.. [2] Lopez de Prado, M. and Lewis, M. J. (2019). "Detection of False Investment Strategies Using Unsupervised Learning
   Methods". Quantitative Finance 19(9), 1555-1565.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import BoolArray, FloatArray, IntArray

#: Above this many trials the matrix of their distances (32 MB) and its cuts (seconds) cost more than they tell.
MOST_TRIALS = 2_000
#: Elements of the standardised returns of trials that are compared with a sample's clusters: 16 MB.
_AT_ONCE = 2_000_000
_SUBSTANTIAL_SILHOUETTE = 0.25
#: Below this distance trials are one: their correlation is 1 but for rounding.
_SAME = 1e-9
#: Every number of clusters is tried up to here; beyond it, one in fifty.
_DENSE_CUTS = 64
_CUT_GROWTH = 1.02


def effective_trials(returns: FloatArray, *, n_exact: int = MOST_TRIALS) -> int:
    """Number of clusters of trials.

    Parameters
    ----------
    returns : ndarray of shape (n_dates, n_trials)
        Returns of each trial over the same dates; finite. Trials that do not vary are one cluster together.
    n_exact : int
        2 or more; so many trials are clustered exactly, more of them by a sample of this size: see the module for what
        that approximates. Beside `returns` memory grows with this and not with n_trials.

    Returns
    -------
    int
        1 to n_trials. Up to `n_exact` trials it does not depend on their order.

    Raises
    ------
    InsufficientHistoryError
        If there are fewer than three dates: two make every correlation 1 or -1.
    StatisticError
        If there is no trial, or a return is not finite.
    """
    _check(returns)
    varies = np.ptp(returns, axis=0) > 0
    return _n_effective(returns, np.flatnonzero(varies), n_exact) + int(not varies.all())


def _check(returns: FloatArray) -> None:
    if returns.ndim != 2 or returns.shape[1] == 0:  # noqa: PLR2004  a matrix
        raise StatisticError("returns", returns.shape, "must be of shape (n_dates, n_trials) with a trial or more")
    if returns.shape[0] < 3:  # noqa: PLR2004  said in the docstring
        raise InsufficientHistoryError("the correlation of trials", 3, returns.shape[0])
    if not (np.isfinite(returns.min()) and np.isfinite(returns.max())):
        raise StatisticError("returns", None, "must be finite; give the dates that all trials have in common")


def _n_effective(returns: FloatArray, columns: IntArray, n_exact: int) -> int:
    """Clusters of the trials in `columns`, all of which vary."""
    generator, n_found = np.random.default_rng(0), 0
    while columns.size > n_exact:
        sample = np.sort(generator.choice(columns, n_exact, replace=False))
        clusters = _clusters(_distances(returns[:, sample]))
        if clusters.n == n_exact:
            return n_found + columns.size
        n_found += clusters.n
        columns = _unlike(returns, np.setdiff1d(columns, sample), clusters, sample)
    return n_found + (_clusters(_distances(returns[:, columns])).n if columns.size > 1 else columns.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clusters:
    """`n` clusters, and which of them, 0 to n - 1, each trial is in."""

    n: int
    labels: IntArray


def _unlike(returns: FloatArray, columns: IntArray, clusters: _Clusters, sample: IntArray) -> IntArray:
    """Those of `columns` whose trials belong to no cluster of the sample."""
    # The mean of correlations with a cluster's members is the product with the mean of their standardised returns.
    members = _standardised(returns[:, sample])
    centres = np.column_stack([members[:, clusters.labels == label].mean(axis=1) for label in range(clusters.n)])
    n_at_once = max(1, _AT_ONCE // len(returns))
    parts = [columns[first : first + n_at_once] for first in range(0, columns.size, n_at_once)]
    belongs = [_belongs(1 - _standardised(returns[:, part]).T @ centres) for part in parts]
    left: IntArray = columns[~np.concatenate([np.empty(0, dtype=np.bool_), *belongs])]
    return left


def _belongs(distances: FloatArray) -> BoolArray:
    """Whether trials with these mean distances to each cluster, shape (n_trials, n), belong to their nearest one."""
    if distances.shape[1] == 1:
        return distances[:, 0] < _SAME
    nearest, next_one = np.partition(distances, 1, axis=1)[:, :2].T
    is_near: BoolArray = next_one - nearest > _SUBSTANTIAL_SILHOUETTE * next_one
    return is_near


def _standardised(returns: FloatArray) -> FloatArray:
    """Deviations from their mean of length one, so that a product of two is their correlation."""
    deviations: FloatArray = returns - returns.mean(axis=0)
    deviations /= np.linalg.norm(deviations, axis=0)
    return deviations


def _distances(returns: FloatArray) -> FloatArray:
    distances = 1 - np.clip(np.corrcoef(returns, rowvar=False), -1.0, 1.0)
    distances = (distances + distances.T) / 2
    np.fill_diagonal(distances, 0.0)
    return distances


def _clusters(distances: FloatArray) -> _Clusters:
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage  # noqa: PLC0415  cold start
    from scipy.spatial.distance import squareform  # noqa: PLC0415  cold start

    n_trials = len(distances)
    if distances.max() < _SAME:
        return _Clusters(n=1, labels=np.zeros(n_trials, dtype=np.intp))
    tree = linkage(squareform(distances, checks=False), method="average")
    order = leaves_list(tree)
    # In the order of the leaves every cluster of every cut is a run, whose distances one reduction sums.
    ordered = distances[np.ix_(order, order)]
    best, kept = _SUBSTANTIAL_SILHOUETTE, _Clusters(n=n_trials, labels=np.arange(n_trials))
    for n_clusters in _cuts(n_trials):
        labels = fcluster(tree, n_clusters, criterion="maxclust").astype(np.intp) - 1
        starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
        score = _mean_silhouette(ordered, starts)
        if starts.size > 1 and score > best:
            best, kept = score, _Clusters(n=starts.size, labels=labels)
    return kept


def _cuts(n_trials: int) -> list[int]:
    cuts = list(range(2, min(n_trials, _DENSE_CUTS)))
    while cuts and cuts[-1] * _CUT_GROWTH < n_trials - 1:
        cuts.append(int(np.ceil(cuts[-1] * _CUT_GROWTH)))
    return cuts


def _mean_silhouette(distances: FloatArray, starts: IntArray) -> float:
    """Mean over trials of ``(b - a) / max(a, b)``.

    a is the mean distance to the others of the own cluster, b the smallest mean distance to another one.
    """
    n_trials = len(distances)
    sizes = np.diff(starts, append=n_trials)
    own = np.repeat(np.arange(starts.size), sizes)
    sums = np.add.reduceat(distances, starts, axis=1)
    trials = np.arange(n_trials)
    within = sums[trials, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[trials, own] = np.inf
    nearest = means.min(axis=1)
    larger = np.maximum(within, nearest)
    scores = np.divide(nearest - within, larger, out=np.zeros(n_trials), where=larger > 0)
    return float(np.where(sizes[own] > 1, scores, 0.0).mean())
