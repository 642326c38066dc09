"""Euclidean projection on a box cut by a few linear and absolute-sum constraints, to rounding.

minimise 1/2 |w - t|^2 over lower <= w <= upper, row_lower <= A w <= row_upper, sum |w| <= gross and
sum |w - p| <= turnover

1. For given multipliers y >= 0 of the coupling constraints the problem falls apart by asset, and each part has a closed
   form: a step function of the target, clipped to the box.
2. The dual is concave and smooth, its gradient the excess of each constraint at those weights, which are piecewise
   linear in y. Each multiplier in turn is set to where its excess is zero (coordinate ascent, which converges).
3. After every sweep a Newton step on the multipliers above zero is tried, and taken where it lessens the error: once
   the pieces are right it is exact [1]_.
4. The end is where every excess is at most zero, and zero where its multiplier is not. Where that is not reached soon,
   because the set is flat or empty, `strategy.allocation.least_distance` decides.

References
----------
.. [1] Qi, L. and Sun, J. (1993). "A nonsmooth version of Newton's method". Mathematical Programming 58, 353-367.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strategy.allocation.least_distance import least_distance_point
from strategy.panel import FloatArray

#: Excess, share of the portfolio, that is rounding.
_TOLERANCE = 1e-11
_MAX_SWEEPS = 25
_MAX_STEPS = 200
#: Multiplier beyond which a set is flat or empty: weights and bounds are of order 1.
_LARGEST = 1e4


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvexSet:
    """What weights may be; bounds are infinite, or None, where there are none.

    Parameters
    ----------
    names : tuple of str
        Of the rows, for people.
    matrix : ndarray of shape (n_rows, n_assets)
    row_lower, row_upper : ndarray of shape (n_rows,)
    lower, upper : ndarray of shape (n_assets,)
    gross, turnover : float or None
    previous : ndarray of shape (n_assets,)
        Weights that the turnover is counted from.
    """

    names: tuple[str, ...]
    matrix: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    lower: FloatArray
    upper: FloatArray
    gross: float | None
    turnover: float | None
    previous: FloatArray


def projected(target: FloatArray, allowed: ConvexSet) -> FloatArray | None:
    """The point of the set that is nearest to the target, shape (n_assets,); None where there is none."""
    if (allowed.lower > allowed.upper).any():
        return None
    dual = _Dual(target, allowed)
    multipliers = np.zeros(dual.n_multipliers)
    for _ in range(_MAX_SWEEPS):
        if dual.error(multipliers) <= _TOLERANCE:
            return dual.weights(multipliers)
        for number in range(multipliers.size):
            multipliers[number] = dual.best(multipliers, number)
        if not multipliers.max(initial=0.0) < _LARGEST:
            break
        multipliers = dual.newton(multipliers)
    return least_distance_point(target, allowed)


class _Dual:
    """The dual problem; multipliers of upper rows, lower rows, gross and turnover, in this order."""

    def __init__(self, target: FloatArray, allowed: ConvexSet) -> None:
        is_above, is_below = np.isfinite(allowed.row_upper), np.isfinite(allowed.row_lower)
        self._rows = np.concatenate([allowed.matrix[is_above], -allowed.matrix[is_below]])
        row_bounds = np.concatenate([allowed.row_upper[is_above], -allowed.row_lower[is_below]])
        self._is_kept = [allowed.gross is not None, allowed.turnover is not None]
        sums = [bound for bound in (allowed.gross, allowed.turnover) if bound is not None]
        self._bounds = np.concatenate([row_bounds, sums])
        self._target, self._allowed = target, allowed
        self.n_multipliers = self._bounds.size

    def weights(self, multipliers: FloatArray) -> FloatArray:
        """The weights that are best when the constraints are priced and not kept; step 1."""
        centre, (gross, turnover) = self._priced(multipliers)
        previous = self._allowed.previous
        is_first = previous < 0  # which of the two kinks, at 0 and at the previous weight, comes first
        low, high = np.minimum(previous, 0.0), np.maximum(previous, 0.0)
        at_low, at_high = np.where(is_first, turnover, gross), np.where(is_first, gross, turnover)
        below, between, above = centre + at_low + at_high, centre - at_low + at_high, centre - at_low - at_high
        free = np.where(below < low, below, np.where(above > high, above, np.clip(between, low, high)))
        return np.clip(free, self._allowed.lower, self._allowed.upper)

    def excess(self, weights: FloatArray) -> FloatArray:
        """By how much each constraint is exceeded."""
        sums = (np.abs(weights).sum(), np.abs(weights - self._allowed.previous).sum())
        kept = [each for each, is_kept in zip(sums, self._is_kept, strict=True) if is_kept]
        found: FloatArray = np.concatenate([self._rows @ weights, kept]) - self._bounds
        return found

    def error(self, multipliers: FloatArray) -> float:
        """The largest excess, or slack of a constraint that has a price."""
        excess = self.excess(self.weights(multipliers))
        return float(np.where(multipliers > 0, np.abs(excess), excess).max(initial=0.0))

    def best(self, multipliers: FloatArray, number: int) -> float:
        """The multiplier at which this constraint is just kept, the others as they are; step 2."""
        trial = multipliers.copy()
        low, high, value = 0.0, np.inf, float(multipliers[number])
        for _ in range(_MAX_STEPS):
            trial[number] = value
            weights = self.weights(trial)
            excess = float(self.excess(weights)[number])
            if abs(excess) <= _TOLERANCE / 4 or (excess < 0 and value == 0):
                break
            low, high = (value, high) if excess > 0 else (low, value)
            slope = float((self._gradients(weights)[number] ** 2 * self._is_free(weights)).sum())
            value = value + excess / slope if slope > 0 else np.inf
            if not low < value < high:
                value = (low + high) / 2 if np.isfinite(high) else max(2 * low, 1.0)
            if value > _LARGEST or high - low <= np.finfo(float).eps * high:
                break
        return value

    def newton(self, multipliers: FloatArray) -> FloatArray:
        """The multipliers after a Newton step, where that lessens the error; step 3."""
        priced = multipliers > 0
        weights = self.weights(multipliers)
        gradients = self._gradients(weights)[priced]
        curvature = (gradients * self._is_free(weights)) @ gradients.T
        step = np.linalg.lstsq(curvature, self.excess(weights)[priced], rcond=None)[0]
        trial = multipliers.copy()
        trial[priced] = np.maximum(trial[priced] + step, 0.0)
        return trial if self.error(trial) < self.error(multipliers) else multipliers

    def _priced(self, multipliers: FloatArray) -> tuple[FloatArray, tuple[float, float]]:
        n_rows = len(self._rows)
        prices = iter(multipliers[n_rows:].tolist())
        gross, turnover = (next(prices) if is_kept else 0.0 for is_kept in self._is_kept)
        return self._target - multipliers[:n_rows] @ self._rows, (gross, turnover)

    def _gradients(self, weights: FloatArray) -> FloatArray:
        """Of each constraint's sum by the weights, shape (n_multipliers, n_assets)."""
        signs = (np.sign(weights), np.sign(weights - self._allowed.previous))
        kept = [each for each, is_kept in zip(signs, self._is_kept, strict=True) if is_kept]
        return np.concatenate([self._rows, np.reshape(kept, (-1, weights.size))])

    def _is_free(self, weights: FloatArray) -> FloatArray:
        """1 where a weight moves with its price, 0 at a bound or a kink."""
        allowed = self._allowed
        free = (weights > allowed.lower) & (weights < allowed.upper)
        if allowed.gross is not None:
            free &= weights != 0
        if allowed.turnover is not None:
            free &= weights != allowed.previous
        return free.astype(np.float64)
