"""Axes of a sweep: which values a parameter takes, within the bounds that the strategy's own model states."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

from strategy.errors import ParameterError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from strategy.library.contract import Strategy

Scale: TypeAlias = Literal["linear", "log"]
Value: TypeAlias = Any  # Any: a JSON value of whatever type the parameter has


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Values of one parameter: a list, or a range.

    Parameters
    ----------
    values : tuple or None
        The list; None where there is a range.
    low, high : float or None
        Ends of the range, both included.
    scale : {"linear", "log"}
        How points of the range are spaced; "log" needs low > 0.
    n_points : int
        Points of the range on a grid, ends included; a sample draws its own.
    """

    values: tuple[Value, ...] | None = None
    low: float | None = None
    high: float | None = None
    scale: Scale = "linear"
    n_points: int = 5

    def at(self, position: float) -> Value:
        """The value at a position from 0 to 1 along the axis; of a list each value has an equal part."""
        if self.values is not None:
            return self.values[min(int(position * len(self.values)), len(self.values) - 1)]
        low, high = self._ends()
        if position in (0.0, 1.0):
            return high if position else low  # exactly, or rounding would leave the bounds
        if self.scale == "log":
            return math.exp(math.log(low) + position * (math.log(high) - math.log(low)))
        return low + position * (high - low)

    def grid(self) -> list[Value]:
        """Every value of the list, or `n_points` of the range."""
        if self.values is not None:
            return list(self.values)
        if self.n_points == 1:
            return [self.at(0.0)]
        return [self.at(number / (self.n_points - 1)) for number in range(self.n_points)]

    def _ends(self) -> tuple[float, float]:
        assert self.low is not None  # noqa: S101  checked_axes has seen to it
        assert self.high is not None  # noqa: S101  checked_axes has seen to it
        return self.low, self.high


def checked_axes(strategy: Strategy[Any], axes: Mapping[str, Axis]) -> dict[str, Axis]:  # Any: any strategy
    """The axes, sorted by name, each value and end of which its parameter takes by itself.

    Raises
    ------
    ParameterError
        If there is no axis, a name is no parameter of the strategy, an axis has neither list nor range or both, a range
        is of a parameter that is no number, or a value is out of the parameter's bounds.
    """
    known = strategy.parameters.model_fields
    if not axes:
        raise ParameterError("axes", {}, f"name one parameter or more; {strategy.key} has {', '.join(known)}")
    for name, axis in axes.items():
        if name not in known:
            raise ParameterError(f"axes.{name}", name, f"is no parameter of {strategy.key}: {', '.join(known)}")
        _check(f"axes.{name}", axis, known[name])
    return {name: axes[name] for name in sorted(axes)}


def is_whole(strategy: Strategy[Any], name: str) -> bool:  # Any: any strategy
    """Whether a parameter takes whole numbers only."""
    return strategy.parameters.model_fields[name].annotation is int


def _check(name: str, axis: Axis, field: FieldInfo) -> None:
    has_range = axis.low is not None or axis.high is not None
    if (axis.values is not None) == has_range:
        raise ParameterError(name, None, "give either values, or low and high")
    if has_range:
        _check_range(name, axis, field)
    alone: Any = Annotated[field.annotation, *field.metadata]  # Any: made at run time
    adapter = TypeAdapter[Any](alone)
    for value in axis.grid() if axis.values is not None else (axis.low, axis.high):
        try:
            adapter.validate_python(value)
        except ValidationError as error:
            raise ParameterError(name, value, error.errors()[0]["msg"]) from error


def _check_range(name: str, axis: Axis, field: FieldInfo) -> None:
    if field.annotation not in (int, float):
        raise ParameterError(name, axis.low, "is no number, of which there are no ranges: give values")
    if axis.low is None or axis.high is None:
        raise ParameterError(name, axis.low, "give low and high")
    if not axis.low < axis.high:
        raise ParameterError(name, axis.low, f"low must be below high, {axis.high:g}")
    if axis.scale == "log" and axis.low <= 0:
        raise ParameterError(name, axis.low, "low must be above zero on a log scale")
