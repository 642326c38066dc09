"""Whether a good parameter stands among good ones, or alone: maps over a grid of parameters.

What works for a reason works a step away as well. A lone peak is a sign that noise was fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from strategy.errors import StatisticError
from strategy.panel import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilityMap:
    """Maps in the shape of the grid; NaN where the metric itself is.

    Parameters
    ----------
    mean, minimum : ndarray
        Over a cell and its neighbours, one step along every axis, diagonals included; NaN among them is left out.
    plateau : ndarray
        ``(mean - median) / (value - median)`` with the median of the grid: 1 where the neighbours are as good as the
        cell, 0 where they are what one gets anywhere. NaN where the cell is not better than the median.
    """

    mean: FloatArray
    minimum: FloatArray
    plateau: FloatArray

    @property
    def most_stable(self) -> tuple[int, ...]:
        """Index of the cell with the highest mean: the one to choose, rather than the highest value."""
        return tuple(int(index) for index in np.unravel_index(int(np.nanargmax(self.mean)), self.mean.shape))


def stability_map(values: FloatArray) -> StabilityMap:
    """Neighbourhood of every cell.

    Parameters
    ----------
    values : ndarray of any shape
        A metric, higher is better, one axis for each parameter, in the order of its values. NaN: not run or undefined.

    Raises
    ------
    StatisticError
        If no value is finite, or one is infinite.
    """
    if np.isinf(values).any() or not np.isfinite(values).any():
        raise StatisticError("values", values.shape, "must hold a finite value, and none that is infinite")
    is_missing = np.isnan(values)
    # A border of NaN all around; then the neighbours of all cells are shifted views of one array.
    padded = np.pad(values, 1, constant_values=np.nan)
    steps = product(*((slice(step, step + size) for step in range(3)) for size in values.shape))
    neighbours = np.array([padded[step] for step in steps])
    counts = np.isfinite(neighbours).sum(axis=0)
    mean = np.where(is_missing, np.nan, np.nansum(neighbours, axis=0) / np.maximum(counts, 1))
    minimum = np.where(is_missing, np.nan, np.fmin.reduce(neighbours, axis=0))
    lead = values - np.nanmedian(values)
    plateau = np.divide(mean - np.nanmedian(values), lead, out=np.full(values.shape, np.nan), where=lead > 0)
    return StabilityMap(mean=mean, minimum=minimum, plateau=plateau)
