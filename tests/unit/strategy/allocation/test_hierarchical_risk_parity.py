"""Hierarchical risk parity beside the listings of its paper, and by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.cluster.hierarchy import ClusterWarning
from scipy.cluster.hierarchy import linkage as linked

from strategy.allocation.hierarchical_risk_parity import Linkage, hierarchical_risk_parity
from strategy.errors import PanelError
from strategy.panel import FloatArray

LINKAGES: tuple[Linkage, ...] = ("single", "complete", "average", "ward")
seeds = st.integers(0, 2**32 - 1)

# The five functions below follow, step by step, the Python listings (Snippets 1 to 4: correlDist, getQuasiDiag,
# getRecBipart, getClusterVar, getIVP) of Lopez de Prado, M. (2016), "Building Diversified Portfolios that Outperform
# Out-of-Sample", J. Portfolio Management 42(4), 59-69; SSRN 2708678. Only what newer versions of Python and pandas
# refuse (xrange, Series.append, len/2) and the names are changed.


def inverse_variance_portfolio(covariance: pd.DataFrame) -> FloatArray:
    """Snippet getIVP."""
    portfolio: FloatArray = 1.0 / np.diag(covariance.to_numpy())
    portfolio /= portfolio.sum()
    return portfolio


def cluster_variance(covariance: pd.DataFrame, items: list[int]) -> float:
    """Snippet getClusterVar."""
    part = covariance.loc[items, items]
    weights = inverse_variance_portfolio(part).reshape(-1, 1)
    return float(np.dot(np.dot(weights.T, part.to_numpy()), weights)[0, 0])


def quasi_diagonal_order(link: FloatArray) -> list[int]:
    """Snippet getQuasiDiag."""
    tree = link.astype(int)
    order = pd.Series([tree[-1, 0], tree[-1, 1]])
    n_items = tree[-1, 3]
    while order.max() >= n_items:
        order.index = pd.RangeIndex(0, order.shape[0] * 2, 2)
        clusters = order[order >= n_items]
        places, numbers = clusters.index, clusters.to_numpy() - n_items
        order[places] = tree[numbers, 0]
        order = pd.concat([order, pd.Series(tree[numbers, 1], index=places + 1)]).sort_index()
        order.index = pd.RangeIndex(order.shape[0])
    return [int(item) for item in order]


def recursive_bisection(covariance: pd.DataFrame, order: list[int]) -> pd.Series[float]:
    """Snippet getRecBipart."""
    weights = pd.Series(1.0, index=order)
    clusters = [order]
    while clusters:
        clusters = [
            cluster[begin:end]
            for cluster in clusters
            for begin, end in ((0, len(cluster) // 2), (len(cluster) // 2, len(cluster)))
            if len(cluster) > 1
        ]
        for left, right in zip(clusters[::2], clusters[1::2], strict=True):
            left_variance, right_variance = cluster_variance(covariance, left), cluster_variance(covariance, right)
            alpha = 1 - left_variance / (left_variance + right_variance)
            weights[left] *= alpha
            weights[right] *= 1 - alpha
    return weights


def published_weights(covariance: FloatArray, linkage: Linkage) -> FloatArray:
    """correlDist, then the listings above, as the paper's main function calls them."""
    deviations = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviations, deviations)
    np.fill_diagonal(correlation, 1.0)
    distance = ((1 - correlation) / 2.0) ** 0.5
    with warnings.catch_warnings():
        # The paper hands the square matrix over as observations; SciPy asks whether that is meant. It is.
        warnings.simplefilter("ignore", ClusterWarning)
        link = linked(distance, linkage)
    weights = recursive_bisection(pd.DataFrame(covariance), quasi_diagonal_order(link))
    return np.asarray(weights.sort_index(), dtype=np.float64)


def random_covariance(seed: int, n_assets: int) -> FloatArray:
    """Of sixty returns that share two factors, with deviations from half a per cent to five."""
    rng = np.random.default_rng(seed)
    returns = rng.normal(size=(60, 2)) @ rng.normal(size=(2, n_assets)) + rng.normal(size=(60, n_assets))
    covariance: FloatArray = np.atleast_2d(np.cov(returns * rng.uniform(0.005, 0.05, n_assets), rowvar=False))
    return covariance


@pytest.mark.parametrize("linkage", LINKAGES)
@given(seed=seeds, n_assets=st.integers(2, 25))
@settings(deadline=None, max_examples=15)
def test_weights_are_those_of_the_published_listings(linkage: Linkage, seed: int, n_assets: int) -> None:
    covariance = random_covariance(seed, n_assets)
    expected = published_weights(covariance, linkage)
    assert_allclose(hierarchical_risk_parity(covariance, linkage=linkage), expected, rtol=1e-9)


def test_the_paper_s_linkage_is_the_default() -> None:
    covariance = random_covariance(3, 12)
    single = hierarchical_risk_parity(covariance, linkage="single")
    assert_array_equal(hierarchical_risk_parity(covariance), single)
    assert not np.allclose(single, hierarchical_risk_parity(covariance, linkage="ward"))


def test_one_asset_gets_everything() -> None:
    assert_array_equal(hierarchical_risk_parity(np.array([[0.04]])), [1.0])


@pytest.mark.parametrize("covariance", [-0.015, 0.0, 0.015])
def test_two_assets_share_in_inverse_proportion_to_their_variances(covariance: float) -> None:
    """1/0.04 to 1/0.01 is one to four, whatever the correlation."""
    weights = hierarchical_risk_parity(np.array([[0.04, covariance], [covariance, 0.01]]))
    assert_allclose(weights, [0.2, 0.8])


def test_uncorrelated_assets_share_in_inverse_proportion_to_their_variances() -> None:
    """Variances 1, 2, 4, 8: shares 8, 4, 2 and 1 of 15, because halves of an uncorrelated list do not interact."""
    assert_allclose(hierarchical_risk_parity(np.diag([1.0, 2.0, 4.0, 8.0])), np.array([8, 4, 2, 1]) / 15)


def test_two_pairs_share_in_inverse_proportion_to_the_variances_of_the_pairs() -> None:
    """Unit variances; correlation 0.5 in one pair and 0.25 in the other, none across.

    The pairs' halves have variances (1 + 0.5) / 2 = 6/8 and (1 + 0.25) / 2 = 5/8, so the first pair gets 5/11.
    """
    covariance = np.eye(4)
    covariance[0, 2] = covariance[2, 0] = 0.5
    covariance[1, 3] = covariance[3, 1] = 0.25
    assert_allclose(hierarchical_risk_parity(covariance), np.array([5, 6, 5, 6]) / 22)


@given(seed=seeds, order=st.permutations(range(4)))
@settings(deadline=None, max_examples=50)
def test_reordering_up_to_four_assets_reorders_the_weights(seed: int, order: list[int]) -> None:
    covariance = random_covariance(seed, 4)
    reordered = hierarchical_risk_parity(covariance[np.ix_(order, order)])
    assert_allclose(reordered, hierarchical_risk_parity(covariance)[order], rtol=1e-9)


def test_the_order_of_five_assets_can_matter_as_it_does_in_the_paper() -> None:
    """Found by trying seeds; the published listings differ between the two orders by as much."""
    differs = []
    for seed in range(20):
        covariance = random_covariance(seed, 5)
        reverse = covariance[::-1, ::-1]
        differs.append(not np.allclose(hierarchical_risk_parity(reverse)[::-1], hierarchical_risk_parity(covariance)))
        assert differs[-1] == (
            not np.allclose(published_weights(reverse, "single")[::-1], published_weights(covariance, "single"))
        )
    assert any(differs)


@given(seed=seeds, n_assets=st.integers(1, 25), scale=st.floats(1e-6, 1e6))
@settings(deadline=None, max_examples=30)
def test_weights_are_positive_sum_to_one_and_ignore_the_unit_of_variance(
    seed: int, n_assets: int, scale: float
) -> None:
    covariance = random_covariance(seed, n_assets)
    weights = hierarchical_risk_parity(covariance)
    assert (weights > 0).all()
    assert_allclose(weights.sum(), 1, rtol=1e-12)
    assert_allclose(hierarchical_risk_parity(covariance * scale), weights, rtol=1e-6)


def test_a_cluster_whose_variance_rounds_below_zero_gives_no_negative_weight() -> None:
    """An inverse pair beside two copies of another asset: half and half of the pair has variance -5e-10."""
    covariance = np.array(
        [[1, -1 - 1e-9, 0, 0], [-1 - 1e-9, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]],
    )
    weights = hierarchical_risk_parity(covariance)
    assert (weights >= 0).all()
    assert_allclose(weights, [0.5, 0.5, 0, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("covariance", "reason"),
    [
        pytest.param(np.ones((2, 3)), "square", id="not square"),
        pytest.param(np.ones(4), "square", id="a vector"),
        pytest.param(np.ones((0, 0)), "square", id="empty"),
        pytest.param(np.array([[1.0, np.nan], [np.nan, 1.0]]), "finite", id="not finite"),
        pytest.param(np.diag([1.0, 0.0]), "above zero", id="an asset without variance"),
        pytest.param(np.array([[1.0, 0.5], [0.0, 1.0]]), "symmetric", id="not symmetric"),
    ],
)
def test_what_is_no_covariance_matrix_is_refused_with_the_reason(covariance: FloatArray, reason: str) -> None:
    with pytest.raises(PanelError, match=reason):
        hierarchical_risk_parity(covariance)
