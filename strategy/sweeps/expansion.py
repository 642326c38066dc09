"""From axes to parameters: a grid, or a sample that fills the space, in an order that never changes.

1. Points of the space: every combination on a grid; for a sample independent draws, or a scrambled Sobol sequence
   [1]_.
2. Each point is put into the base parameters, whole numbers rounded, and read by the strategy's own model.
3. Combinations that the model refuses are counted and left out; of points that come out the same one is kept.

References
----------
.. [1] Owen, A. B. (1998). "Scrambling Sobol' and Niederreiter-Xing Points". J. Complexity 14(4), 466-489.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import ValidationError

from strategy.errors import ParameterError
from strategy.library.contract import Strategy
from strategy.sweeps.axes import Axis, Value, checked_axes, is_whole

if TYPE_CHECKING:
    from strategy.panel import FloatArray

Method: TypeAlias = Literal["grid", "random", "sobol"]
#: More trials than this are no search but a way to be fooled, and their correlations need 32 MB per thousand squared.
MOST_TRIALS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What is searched, and how.

    Parameters
    ----------
    axes : mapping of str to Axis
        By name of the parameter.
    method : {"grid", "random", "sobol"}
    n_samples : int
        Points of a sample, at most `MOST_TRIALS`; a grid has as many as it has.
    seed : int
        Of a sample.
    """

    axes: Mapping[str, Axis]
    method: Method = "grid"
    n_samples: int = 64
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """The distinct parameters of a sweep, every default filled in, and how many combinations the model refused."""

    parameters: tuple[dict[str, Value], ...]
    n_refused: int


def expanded(strategy: Strategy[Any], base: Mapping[str, Value], space: Space) -> Expansion:
    """Parameters of every trial, in the order of the points.

    Raises
    ------
    ParameterError
        If an axis is wrong (see `checked_axes`), there are too many points, or the model refuses every one of them.
    """
    axes = checked_axes(strategy, space.axes)
    distinct: dict[str, dict[str, Value]] = {}
    refused: list[ValidationError] = []
    for point in _points(axes, space):
        values = {name: _rounded(strategy, name, value) for name, value in zip(axes, point, strict=True)}
        try:
            parameters = strategy.parameters.model_validate({**base, **values}).model_dump(mode="json")
        except ValidationError as error:
            refused.append(error)
            continue
        distinct.setdefault(json.dumps(parameters, sort_keys=True), parameters)
    if not distinct:
        first = refused[0].errors()[0]
        raise ParameterError("axes", None, f"no combination is allowed; the first fails by: {first['msg']}")
    return Expansion(parameters=tuple(distinct.values()), n_refused=len(refused))


def _points(axes: Mapping[str, Axis], space: Space) -> Iterable[tuple[Value, ...]]:
    if space.method == "grid":
        grids = [axis.grid() for axis in axes.values()]
        _require_few(math.prod(len(grid) for grid in grids), "axes", "give fewer values, or a sample")
        return product(*grids)
    _require_few(space.n_samples, "n_samples", "draw fewer")
    return _sampled(axes, _positions(space, len(axes)))


def _sampled(axes: Mapping[str, Axis], positions: FloatArray) -> Iterator[tuple[Value, ...]]:
    for row in positions:
        yield tuple(axis.at(float(position)) for axis, position in zip(axes.values(), row, strict=True))


def _positions(space: Space, n_axes: int) -> FloatArray:
    """Points of the unit cube, shape (n_samples, n_axes)."""
    import numpy as np  # noqa: PLC0415  cold start: a sweep that is there is found without it

    generator = np.random.default_rng(space.seed)
    if space.method == "random":
        return generator.random((space.n_samples, n_axes))
    from scipy.stats import qmc  # noqa: PLC0415  cold start: only a Sobol sample needs it

    # Whole powers of two are balanced; the first of them are taken when fewer are asked for.
    exponent = math.ceil(math.log2(space.n_samples))
    points: FloatArray = qmc.Sobol(n_axes, rng=generator).random_base2(exponent)[: space.n_samples]
    return points


def _rounded(strategy: Strategy[Any], name: str, value: Value) -> Value:
    return round(value) if isinstance(value, float) and is_whole(strategy, name) else value


def _require_few(n_points: int, field: str, remedy: str) -> None:
    if not 1 <= n_points <= MOST_TRIALS:
        raise ParameterError(field, n_points, f"must be 1 to {MOST_TRIALS} trials: {remedy}")
