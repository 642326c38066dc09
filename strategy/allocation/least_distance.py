"""The nearest point of a polyhedron by non-negative least squares: slower than the dual, and sure where that is not.

Least distance programming [1]_: the shortest x with G x >= h is -r / r_last of the residual r of the least squares
problem |E u - f|, u >= 0, with E = [G'; h'] and f = (0, ..., 0, 1). A residual of zero: there is no such x.
Sums of absolute values are cut by planes, one for the signs of each point that exceeds them, until none does.

References
----------
.. [1] Lawson, C. L. and Hanson, R. J. (1974). "Solving Least Squares Problems", chapter 23. Prentice-Hall.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from strategy.panel import FloatArray

if TYPE_CHECKING:
    from strategy.allocation.projection import ConvexSet

#: Excess, share of the portfolio, that is rounding of the least squares.
_TOLERANCE = 1e-10
_MAX_CUTS = 500


def least_distance_point(target: FloatArray, allowed: ConvexSet) -> FloatArray | None:
    """The point of the set that is nearest to the target, shape (n_assets,); None where there is none."""
    planes, heights = _planes(allowed)
    for _ in range(_MAX_CUTS):
        shift = _shortest(planes, heights - planes @ target)
        if shift is None:
            return None
        weights = np.clip(target + shift, allowed.lower, allowed.upper)
        cuts = [(-sign, -bound) for sign, bound in _cuts(weights, allowed)]
        if not cuts:
            return weights
        planes = np.concatenate([planes, [sign for sign, _ in cuts]])
        heights = np.concatenate([heights, [bound for _, bound in cuts]])
    return None


def _planes(allowed: ConvexSet) -> tuple[FloatArray, FloatArray]:
    """Box and rows as ``planes @ w >= heights``."""
    one = np.eye(allowed.lower.size)
    planes = np.concatenate([one, -one, allowed.matrix, -allowed.matrix])
    heights = np.concatenate([allowed.lower, -allowed.upper, allowed.row_lower, -allowed.row_upper])
    return planes[np.isfinite(heights)], heights[np.isfinite(heights)]


def _shortest(planes: FloatArray, heights: FloatArray) -> FloatArray | None:
    from scipy.optimize import nnls  # noqa: PLC0415  start-up

    matrix = np.concatenate([planes.T, heights[np.newaxis]])
    goal = np.zeros(len(matrix))
    goal[-1] = 1.0
    residual = matrix @ nnls(matrix, goal, maxiter=50 * matrix.shape[1])[0] - goal
    if -residual[-1] <= _TOLERANCE:
        return None
    shortest: FloatArray = residual[:-1] / -residual[-1]
    return shortest


def _cuts(weights: FloatArray, allowed: ConvexSet) -> list[tuple[FloatArray, float]]:
    """Planes (signs, bound) with ``signs @ w <= bound`` that the absolute sums of these weights exceed."""
    cuts = []
    for bound, centre in ((allowed.gross, np.zeros(weights.size)), (allowed.turnover, allowed.previous)):
        signs = np.sign(weights - centre)
        if bound is not None and float(signs @ (weights - centre)) > bound + _TOLERANCE:
            cuts.append((signs, bound + float(signs @ centre)))
    return cuts
