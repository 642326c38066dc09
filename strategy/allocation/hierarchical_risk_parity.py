"""Hierarchical risk parity: diversify along the tree in which assets resemble each other.

1. Distance of two assets from their correlation; the tree by agglomerative clustering of those distances' distances.
2. Quasi-diagonalisation: the order of the tree's leaves puts similar assets side by side.
3. Recursive bisection: each half of the list gets weight in inverse proportion to its variance.

Lopez de Prado, M. (2016). "Building Diversified Portfolios that Outperform Out-of-Sample".
J. Portfolio Management 42(4), 59-69.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from strategy.errors import PanelError
from strategy.panel import FloatArray, IntArray

Linkage = Literal["single", "complete", "average", "ward"]
# A perfectly hedged cluster has variance 0, which rounding may turn negative; weights would follow.
SMALLEST_VARIANCE = float(np.finfo(np.float64).tiny)


def hierarchical_risk_parity(covariance: FloatArray, *, linkage: Linkage = "single") -> FloatArray:
    """Weights that sum to 1.

    As in the paper, the lower column goes first within a pair of the tree. Where a bisection cuts through a pair, the
    weights therefore depend on the order of the columns; that can happen from five assets on.

    Parameters
    ----------
    covariance : ndarray of shape (n_assets, n_assets)
        Covariance of returns; symmetric, finite, every variance above zero.
    linkage : {"single", "complete", "average", "ward"}
        How the distance of two clusters is measured; the paper uses "single".

    Returns
    -------
    ndarray of shape (n_assets,)
        Share of each asset, >= 0; 0 only beside a cluster that hedges itself completely.

    Raises
    ------
    PanelError
        If the matrix is not square, finite and symmetric, or a variance is not above zero.
    """
    _check(covariance)
    if covariance.shape[0] == 1:
        return np.ones(1)
    return _bisected(covariance, _leaf_order(covariance, linkage))


def _check(covariance: FloatArray) -> None:
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1] or covariance.size == 0:  # noqa: PLR2004  a matrix
        raise PanelError(f"a covariance matrix is square, not {covariance.shape}")
    if not np.isfinite(covariance).all() or (np.diag(covariance) <= 0).any():
        raise PanelError("a covariance matrix is finite, with variances above zero")
    if not np.allclose(covariance, covariance.T, rtol=1e-9, atol=1e-12 * np.diag(covariance).max()):
        raise PanelError("a covariance matrix is symmetric")


def _leaf_order(covariance: FloatArray, linkage: Linkage) -> IntArray:
    from scipy.cluster.hierarchy import leaves_list  # noqa: PLC0415  cold start
    from scipy.cluster.hierarchy import linkage as linked  # noqa: PLC0415  cold start
    from scipy.spatial.distance import pdist  # noqa: PLC0415  cold start

    deviations = np.sqrt(np.diag(covariance))
    correlation = np.clip(covariance / np.outer(deviations, deviations), -1.0, 1.0)
    distance = np.sqrt((1 - correlation) / 2)
    np.fill_diagonal(distance, 0.0)
    # The paper clusters on the Euclidean distance between columns of the distance matrix, not on the matrix itself.
    tree = linked(pdist(distance), method=linkage)
    return np.asarray(leaves_list(tree), dtype=np.intp)


def _bisected(covariance: FloatArray, order: IntArray) -> FloatArray:
    weights = np.ones(order.size)
    clusters = [order]
    while clusters:
        cluster = clusters.pop()
        if cluster.size == 1:
            continue
        left, right = cluster[: cluster.size // 2], cluster[cluster.size // 2 :]
        left_variance, right_variance = _cluster_variance(covariance, left), _cluster_variance(covariance, right)
        share = 1 - left_variance / (left_variance + right_variance)
        weights[left] *= share
        weights[right] *= 1 - share
        clusters += [left, right]
    return weights


def _cluster_variance(covariance: FloatArray, cluster: IntArray) -> float:
    """Variance of the inverse-variance portfolio of a cluster."""
    part = covariance[np.ix_(cluster, cluster)]
    inverse = 1 / np.diag(part)
    inverse /= inverse.sum()
    return max(float(inverse @ part @ inverse), SMALLEST_VARIANCE)
