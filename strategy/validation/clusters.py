"""How many independent trials there are among trials that resemble each other.

1. Distance of two trials: one minus the correlation of their returns.
2. The tree of trials by agglomerative clustering with average linkage.
3. The cut of the tree with the highest mean silhouette, a trial on its own counting zero [1]_.
4. Below the silhouette at which there is "no substantial structure" (0.25 [1]_), every trial counts.

Step 4 is on the side of caution, and for trials that share one common factor it is exact: the deflated Sharpe ratio
scales by the variance across trials, which a common factor does not change.

The idea, to count clusters by their silhouettes, is [2]_'s; the tree replaces its repeated k-means, so that the
answer needs no random numbers.

References
----------
.. [1] Kaufman, L. and Rousseeuw, P. J. (1990). "Finding Groups in Data", chapter 2. Wiley.
.. [2] Lopez de Prado, M. and Lewis, M. J. (2019). "Detection of False Investment Strategies Using Unsupervised Learning
   Methods". Quantitative Finance 19(9), 1555-1565.
"""

from __future__ import annotations

import numpy as np

from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import FloatArray, IntArray

#: Above this many trials the matrix of their distances (32 MB) and its cuts (seconds) cost more than they tell.
MOST_TRIALS = 2_000
_SUBSTANTIAL_SILHOUETTE = 0.25
#: Below this distance trials are one: their correlation is 1 but for rounding.
_SAME = 1e-9
#: Every number of clusters is tried up to here; beyond it, one in fifty.
_DENSE_CUTS = 64
_CUT_GROWTH = 1.02


def effective_trials(returns: FloatArray) -> int:
    """Number of clusters of trials.

    Parameters
    ----------
    returns : ndarray of shape (n_dates, n_trials)
        Returns of each trial over the same dates; finite. Trials that do not vary are one cluster together.

    Returns
    -------
    int
        1 to n_trials.

    Raises
    ------
    InsufficientHistoryError
        If there are fewer than three dates: two make every correlation 1 or -1.
    StatisticError
        If there is no trial, there are more than `MOST_TRIALS`, or a return is not finite.
    """
    _check(returns)
    varies = np.ptp(returns, axis=0) > 0
    n_constant = int(not varies.all())
    if varies.sum() < 2:  # noqa: PLR2004  nothing to cluster
        return int(varies.sum()) + n_constant
    return _n_clusters(_distances(returns[:, varies])) + n_constant


def _check(returns: FloatArray) -> None:
    if returns.ndim != 2 or returns.shape[1] == 0:  # noqa: PLR2004  a matrix
        raise StatisticError("returns", returns.shape, "must be of shape (n_dates, n_trials) with a trial or more")
    if returns.shape[1] > MOST_TRIALS:
        raise StatisticError("n_trials", returns.shape[1], f"at most {MOST_TRIALS} can be clustered; give a sample")
    if returns.shape[0] < 3:  # noqa: PLR2004  said in the docstring
        raise InsufficientHistoryError("the correlation of trials", 3, returns.shape[0])
    if not np.isfinite(returns).all():
        raise StatisticError("returns", None, "must be finite; give the dates that all trials have in common")


def _distances(returns: FloatArray) -> FloatArray:
    distances = 1 - np.clip(np.corrcoef(returns, rowvar=False), -1.0, 1.0)
    distances = (distances + distances.T) / 2
    np.fill_diagonal(distances, 0.0)
    return distances


def _n_clusters(distances: FloatArray) -> int:
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage  # noqa: PLC0415  cold start
    from scipy.spatial.distance import squareform  # noqa: PLC0415  cold start

    if distances.max() < _SAME:
        return 1
    tree = linkage(squareform(distances, checks=False), method="average")
    order = leaves_list(tree)
    # In the order of the leaves every cluster of every cut is a run, whose distances one reduction sums.
    ordered = distances[np.ix_(order, order)]
    best, n_best = _SUBSTANTIAL_SILHOUETTE, len(ordered)
    for n_clusters in _cuts(len(ordered)):
        labels = fcluster(tree, n_clusters, criterion="maxclust")[order]
        starts = np.flatnonzero(np.diff(labels, prepend=labels[0] - 1))
        score = _mean_silhouette(ordered, starts)
        if starts.size > 1 and score > best:
            best, n_best = score, starts.size
    return n_best


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
