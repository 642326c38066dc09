"""Bounds and constraints on weights, kept by Euclidean projection.

The weights are those nearest to the target among all that keep every bound: nothing is clipped and then scaled, which
would break one bound to mend another. `strategy.allocation.projection` finds them; what cannot be kept together is
refused, and the constraints that contradict one another are named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from strategy.allocation.infeasibility import conflict_of
from strategy.allocation.projection import ConvexSet, projected
from strategy.errors import ExecutionError, InfeasibleConstraintsError
from strategy.panel import FloatArray, IntArray, PricePanel


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Assets whose weights together lie between `minimum` and `maximum`; None: no bound."""

    name: str
    tickers: tuple[str, ...]
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        _check_range(f"groups.{self.name}", self.minimum, self.maximum)
        if not self.tickers or len(set(self.tickers)) != len(self.tickers):
            raise ExecutionError(f"constraints.groups.{self.name}", self.tickers, "needs tickers, each once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What every decision's weights must keep; all figures are shares of the portfolio's value.

    Parameters
    ----------
    min_weight : float or None
        Least weight of an asset that the strategy gives one; others may stay at 0. Below 0: short positions down to it,
        where the engine takes them. None: 0 for what the strategy buys, and -`max_weight` for what it sells short.
    max_weight : float
        Largest weight of an asset.
    net_min, net_max : float
        Bounds of the sum of weights; what it lacks of 1 is cash. None: no bound.
    gross : float or None
        Largest sum of absolute weights. None: no bound.
    turnover : float or None
        Largest sum of absolute changes of weights from those decided before, buys and sells together, over assets that
        can be held. The first purchase after all cash is free, or no portfolio could be begun. None: no bound.
    groups : tuple of Group

    Raises
    ------
    ExecutionError
        If a figure is not finite, or a minimum is above its maximum.
    """

    min_weight: float | None = None
    max_weight: float = 1.0
    net_min: float | None = None
    net_max: float | None = 1.0
    gross: float | None = None
    turnover: float | None = None
    groups: tuple[Group, ...] = ()

    def __post_init__(self) -> None:
        for name in ("min_weight", "max_weight", "net_min", "net_max", "gross", "turnover"):
            value = getattr(self, name)
            if value is not None:
                # 1 and 1.0 are one constraint, and one backtest id.
                object.__setattr__(self, name, float(value))
        _check_range("weight", self.min_weight, self.max_weight)
        _check_range("net", self.net_min, self.net_max)
        _check_range("gross", 0.0, self.gross)
        _check_range("turnover", 0.0, self.turnover)
        names = [group.name for group in self.groups]
        if len(set(names)) != len(names):
            raise ExecutionError("constraints.groups", names, "each needs a name of its own")

    @classmethod
    def from_json(cls, body: dict[str, Any] | None) -> Constraints | None:  # Any: JSON values
        """The constraints of their JSON object; None of none."""
        if body is None:
            return None
        groups = tuple(Group(**{**group, "tickers": tuple(group["tickers"])}) for group in body.get("groups", ()))
        return cls(**body | {"groups": groups})


def constrained_weights(panel: PricePanel, rows: IntArray, weights: FloatArray, constraints: Constraints) -> FloatArray:
    """The nearest weights to those decided that keep the constraints.

    A decision of all cash stays all cash, minima of assets and groups notwithstanding, unless `net_min` or `turnover`
    does not allow it.

    Parameters
    ----------
    panel : PricePanel
        What was decided on; an asset that is not active on a row has weight 0.
    rows : ndarray of shape (n_decisions,)
    weights : ndarray of shape (n_decisions, n_assets)
        As decided.
    constraints : Constraints

    Returns
    -------
    ndarray of shape (n_decisions, n_assets)
        A row depends on those up to it, by the turnover.

    Raises
    ------
    ExecutionError
        If a group names a ticker that the panel does not hold.
    InfeasibleConstraintsError
        If no weights keep them; names those that contradict one another, and the session.
    """
    groups = [(group, _members(panel, group)) for group in constraints.groups]
    kept = np.zeros_like(weights)
    previous = np.zeros(panel.n_assets)
    for number, row in enumerate(rows):
        active = np.flatnonzero(panel.active_on(row))
        target = weights[number, active]
        allowed = _allowed(constraints, groups, target, active=active, previous=previous)
        found = projected(target, allowed)
        if found is None:
            raise InfeasibleConstraintsError(str(panel.sessions[row]), conflict_of(allowed))
        kept[number, active] = found
        previous = kept[number]
    return kept


def _allowed(
    constraints: Constraints,
    groups: list[tuple[Group, FloatArray]],
    target: FloatArray,
    *,
    active: IntArray,
    previous: FloatArray,
) -> ConvexSet:
    """What the weights of the active assets may be."""
    is_cash = not target.any()
    rows = [("net", np.ones(active.size), constraints.net_min, constraints.net_max)]
    for group, members in groups:
        minimum = None if is_cash else group.minimum
        rows.append((f"group {group.name}", members[active], minimum, group.maximum))
    bounds = np.array([(_or(low, -np.inf), _or(high, np.inf)) for _, _, low, high in rows])
    return ConvexSet(
        names=tuple(name for name, *_ in rows),
        matrix=np.array([row for _, row, *_ in rows]),
        row_lower=bounds[:, 0],
        row_upper=bounds[:, 1],
        lower=_least(constraints, target),
        upper=np.full(active.size, constraints.max_weight),
        gross=constraints.gross,
        turnover=constraints.turnover if previous.any() else None,
        previous=previous[active],
    )


def _least(constraints: Constraints, target: FloatArray) -> FloatArray:
    """Least weight of each asset."""
    if constraints.min_weight is None:
        return np.where(target < 0, -constraints.max_weight, 0.0)
    return np.where(target != 0, constraints.min_weight, min(constraints.min_weight, 0.0))


def _members(panel: PricePanel, group: Group) -> FloatArray:
    unknown = sorted(set(group.tickers) - set(panel.tickers))
    if unknown:
        raise ExecutionError(f"constraints.groups.{group.name}", unknown[0], "is not in the universe")
    return np.isin(panel.tickers, group.tickers).astype(np.float64)


def _check_range(name: str, low: float | None, high: float | None) -> None:
    for value in (low, high):
        if value is not None and not math.isfinite(value):
            raise ExecutionError(f"constraints.{name}", value, "must be finite, or left out")
    if low is not None and high is not None and low > high:
        raise ExecutionError(f"constraints.{name}", high, f"must not be below {low:g}")


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
