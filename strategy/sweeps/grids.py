"""Trials of a sweep laid out as the grid that their parameters make."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from strategy.errors import ParameterError
from strategy.panel import FloatArray, IntArray
from strategy.sweeps.axes import Value
from strategy.sweeps.expansion import MOST_TRIALS

#: Axes of a map: a cell has 3 ** n_axes neighbours, itself included.
MOST_AXES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Where trials stand.

    Parameters
    ----------
    axes : dict of str to tuple
        Values of each axis that has two or more, in order; numbers increase.
    trials : ndarray of intp, one dimension for each axis
        Trial of each cell; -1 where there is none.
    """

    axes: dict[str, tuple[Value, ...]]
    trials: IntArray

    def laid_out(self, values: FloatArray) -> FloatArray:
        """Values of the trials, shape (n_trials,), in the shape of the grid; NaN where there is none."""
        return np.where(self.trials < 0, np.nan, values[self.trials])


def gridded(parameters: Sequence[Mapping[str, Value]], axes: Sequence[str]) -> Grid:
    """The grid of trials with these parameters, which differ in `axes` only.

    Raises
    ------
    ParameterError
        If they are no grid: more cells than a sweep can have trials, as of a sample; or it has too many axes.
    """
    found = {axis: _values([it[axis] for it in parameters]) for axis in axes}
    kept = {axis: values for axis, values in found.items() if len(values) > 1}
    shape = tuple(len(values) for values in kept.values())
    if math.prod(shape) > MOST_TRIALS:
        raise ParameterError("method", None, "the trials are a sample and no grid, so that none has neighbours")
    if len(kept) > MOST_AXES:
        raise ParameterError("axes", sorted(kept), f"a map has at most {MOST_AXES} axes of two values or more")
    places = {axis: {_text(value): place for place, value in enumerate(values)} for axis, values in kept.items()}
    trials = np.full(shape, -1, dtype=np.intp)
    for number, it in enumerate(parameters):
        trials[tuple(places[axis][_text(it[axis])] for axis in kept)] = number
    return Grid(axes=kept, trials=trials)


def _values(values: Sequence[Value]) -> tuple[Value, ...]:
    """The distinct ones; numbers in order, others as they came."""
    distinct = tuple({_text(value): value for value in values}.values())
    are_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in distinct)
    return tuple(sorted(distinct)) if are_numbers else distinct


def _text(value: Value) -> str:
    return json.dumps(value, sort_keys=True)
