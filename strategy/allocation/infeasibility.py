"""Which constraints contradict one another: a smallest set of them that no weights keep."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from strategy.allocation.projection import ConvexSet
from strategy.panel import FloatArray


def conflict_of(allowed: ConvexSet) -> tuple[str, ...]:
    """Constraints, by name and figure, that cannot be kept together, none of which can be left out of the conflict.

    By deletion: each is left out for good if the rest is infeasible without it. Empty where the set is not empty.
    """
    names = _names(allowed)
    kept = list(names)
    if _is_feasible(allowed, kept):
        return ()
    for name in names:
        rest = [each for each in kept if each != name]
        if not _is_feasible(allowed, rest):
            kept = rest
    return tuple(names[name] for name in kept)


def _names(allowed: ConvexSet) -> dict[str, str]:
    """Constraints that there are, by key, in words."""
    n_assets = allowed.lower.size
    found = {
        "lower": f"min_weight {allowed.lower.max(initial=0.0):g} of {int((allowed.lower > 0).sum())} held assets",
        "upper": f"max_weight {allowed.upper.max(initial=0.0):g} of {n_assets} active assets",
    }
    for name, low, high in zip(allowed.names, allowed.row_lower, allowed.row_upper, strict=True):
        if np.isfinite(low):
            found[f"{name} lower"] = f"{name} minimum {low:g}"
        if np.isfinite(high):
            found[f"{name} upper"] = f"{name} maximum {high:g}"
    if allowed.gross is not None:
        found["gross"] = f"gross {allowed.gross:g}"
    if allowed.turnover is not None:
        found["turnover"] = f"turnover {allowed.turnover:g}"
    return found


def _is_feasible(allowed: ConvexSet, kept: Collection[str]) -> bool:
    """Whether weights keep the constraints of these keys, by linear programming.

    The variables are the weights and, for each, a bound of its absolute value and of that of its change.
    """
    from scipy.optimize import linprog  # noqa: PLC0415  start-up

    n_assets = allowed.lower.size
    none, one = np.zeros((n_assets, n_assets)), np.eye(n_assets)
    parts, limits = _rows(allowed, kept)
    matrix = [np.concatenate([parts, np.zeros((len(parts), 2 * n_assets))], axis=1)]
    for place, name, bound, centre in (
        (1, "gross", allowed.gross, np.zeros(n_assets)),
        (2, "turnover", allowed.turnover, allowed.previous),
    ):
        for sign in (1.0, -1.0):
            matrix.append(np.concatenate([sign * one, *(-one if at == place else none for at in (1, 2))], axis=1))
            limits = np.concatenate([limits, sign * centre])
        if name in kept and bound is not None:
            total = np.zeros((1, 3 * n_assets))
            total[0, place * n_assets : (place + 1) * n_assets] = 1.0
            matrix.append(total)
            limits = np.append(limits, bound)
    lower = allowed.lower if "lower" in kept else np.full(n_assets, -np.inf)
    upper = allowed.upper if "upper" in kept else np.full(n_assets, np.inf)
    box = [*zip(lower.tolist(), upper.tolist(), strict=True), *[(0.0, np.inf)] * (2 * n_assets)]
    found = linprog(np.zeros(3 * n_assets), A_ub=np.concatenate(matrix), b_ub=limits, bounds=box, method="highs")
    return bool(found.status == 0)


def _rows(allowed: ConvexSet, kept: Collection[str]) -> tuple[FloatArray, FloatArray]:
    """The linear rows of these keys as upper bounds."""
    rows, limits = [np.zeros((0, allowed.lower.size))], []
    for name, row, low, high in zip(allowed.names, allowed.matrix, allowed.row_lower, allowed.row_upper, strict=True):
        if f"{name} upper" in kept:
            rows.append(row[np.newaxis])
            limits.append(high)
        if f"{name} lower" in kept:
            rows.append(-row[np.newaxis])
            limits.append(-low)
    return np.concatenate(rows), np.array(limits, dtype=np.float64)
