"""What else could have happened: returns drawn again in blocks, and holding periods in another order.

Two questions. Had the market dealt other sessions of the same kind, how would equity, drawdown and Sharpe ratio be
distributed (`resampled_paths`)? Had the same holding periods come in another order, how deep would the fall have been
(`reordered_periods`)? The final equity does not depend on their order, so the second is about the path alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from strategy.backtest.metrics.returns import LEAST_SPREAD, periodic_rate
from strategy.errors import InsufficientHistoryError, StatisticError
from strategy.panel import FloatArray, IntArray
from strategy.validation.bootstrap import optimal_block_length, stationary_bootstrap_rows

#: Quantiles of every distribution.
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
#: Elements of the largest array: 8 MB.
_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """`quantiles` at `QUANTILES`, shape (7,), and the observed value beside them."""

    observed: float
    quantiles: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ResampledPaths:
    """Distributions over paths of as many sessions as were observed.

    Parameters
    ----------
    block_length : float
        Mean length of a block, sessions.
    total_return, max_drawdown : Distribution
        Fractions; a drawdown is <= 0, so that its low quantiles are the deep ones.
    sharpe : Distribution
        Annualised, above the risk-free rate; NaN where returns do not vary.
    probability_of_loss : float
        Share of paths that end below where they began.
    """

    n_samples: int
    block_length: float
    total_return: Distribution
    max_drawdown: Distribution
    sharpe: Distribution
    probability_of_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReorderedPeriods:
    """Distribution of the deepest fall over orders of the holding periods."""

    n_samples: int
    n_periods: int
    max_drawdown: Distribution


def resampled_paths(
    returns: FloatArray,
    *,
    periods_per_year: int,
    generator: np.random.Generator,
    risk_free_rate: float = 0.0,
    n_samples: int = 1_000,
    block_length: float | None = None,
) -> ResampledPaths:
    """Draw paths by the stationary bootstrap.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        Simple returns of sessions, above -1.
    periods_per_year : int
        Sessions in a year.
    generator : numpy Generator
        Source of the paths.
    risk_free_rate : float
        Fraction a year, compounded per session, that the Sharpe ratio is above.
    n_samples : int
        Paths.
    block_length : float or None
        Mean length of a block; None: optimal for these returns.

    Raises
    ------
    InsufficientHistoryError
        If there are too few returns for an optimal block length.
    StatisticError
        If a return is not finite, or is a loss of everything and more.
    """
    _check(returns)
    length = block_length or optimal_block_length(returns)

    def draw(n_paths: int) -> IntArray:
        return stationary_bootstrap_rows(returns.size, n_samples=n_paths, block_length=length, generator=generator)

    def figures(paths: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        ratios = _ratios(paths, periodic_rate(risk_free_rate, periods_per_year)) * math.sqrt(periods_per_year)
        return np.expm1(np.log1p(paths).sum(axis=1)), _deepest_falls(paths), ratios

    parts = [figures(returns[rows]) for rows in _batches(draw, returns.size, n_samples)]
    totals, falls, ratios = (np.concatenate(values) for values in zip(*parts, strict=True))
    total, fall, ratio = (float(values[0]) for values in figures(returns[np.newaxis]))
    return ResampledPaths(
        n_samples=n_samples,
        block_length=float(length),
        total_return=_distribution(total, totals),
        max_drawdown=_distribution(fall, falls),
        sharpe=_distribution(ratio, ratios),
        probability_of_loss=float((totals < 0).mean()),
    )


def reordered_periods(
    returns: FloatArray, starts: IntArray, *, generator: np.random.Generator, n_samples: int = 1_000
) -> ReorderedPeriods:
    """Shuffle the holding periods, each kept whole.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        Simple returns of sessions, above -1.
    starts : ndarray of shape (n_periods,), intp
        Rows at which a period begins: 0 first, strictly increasing.
    generator : numpy Generator
        Source of the orders.
    n_samples : int
        Orders.

    Raises
    ------
    StatisticError
        If `starts` are no rows of the returns in order, or a return is not finite or a loss of everything and more.
    """
    _check(returns)
    if starts.size == 0 or starts[0] != 0 or starts[-1] >= returns.size or (np.diff(starts) <= 0).any():
        raise StatisticError("starts", starts.size, f"must increase from 0 and stay below {returns.size}")
    lengths = np.diff(starts, append=returns.size)

    def draw(n_paths: int) -> IntArray:
        orders = generator.permuted(np.tile(np.arange(starts.size), (n_paths, 1)), axis=1)
        return np.array([_rows_in_order(starts[order], lengths[order]) for order in orders])

    parts = [_deepest_falls(returns[rows]) for rows in _batches(draw, returns.size, n_samples)]
    observed = float(_deepest_falls(returns[np.newaxis])[0])
    return ReorderedPeriods(
        n_samples=n_samples, n_periods=starts.size, max_drawdown=_distribution(observed, np.concatenate(parts))
    )


def _batches(draw: Callable[[int], IntArray], n_rows: int, n_samples: int) -> Iterator[IntArray]:
    n_at_once = max(1, _AT_ONCE // n_rows)
    for done in range(0, n_samples, n_at_once):
        yield draw(min(n_at_once, n_samples - done))


def _rows_in_order(starts: IntArray, lengths: IntArray) -> IntArray:
    """Rows of the periods one after another."""
    places = np.cumsum(lengths) - lengths
    rows: IntArray = np.repeat(starts - places, lengths) + np.arange(lengths.sum())
    return rows


def _ratios(paths: FloatArray, rate: float) -> FloatArray:
    """Mean excess return over sample standard deviation of each row of (n_paths, n)."""
    means, spreads = paths.mean(axis=1) - rate, paths.std(axis=1, ddof=1)
    ratios: FloatArray = np.divide(means, spreads, out=np.full(means.size, np.nan), where=spreads > LEAST_SPREAD)
    return ratios


def _deepest_falls(returns: FloatArray) -> FloatArray:
    curves = np.cumprod(1 + returns, axis=1)
    peaks = np.maximum(np.maximum.accumulate(curves, axis=1), 1.0)
    falls: FloatArray = (curves / peaks - 1).min(axis=1)
    return falls


def _distribution(observed: float, values: FloatArray) -> Distribution:
    return Distribution(observed=observed, quantiles=np.quantile(values, QUANTILES))


def _check(returns: FloatArray) -> None:
    if returns.size < 2:  # noqa: PLR2004  a spread
        raise InsufficientHistoryError("a path of returns", 2, returns.size)
    if not np.isfinite(returns).all() or (returns <= -1).any():
        raise StatisticError(
            "returns", None, "must be finite and above -1: what has lost everything has no next return"
        )
