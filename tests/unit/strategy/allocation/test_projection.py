"""The projection: by hand, beside scipy's SLSQP, and nearer than any other point of the set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from strategy.allocation.infeasibility import conflict_of
from strategy.allocation.projection import ConvexSet, projected
from strategy.panel import FloatArray

SEEDS = st.integers(0, 2**32 - 1)


def box(
    n_assets: int, *, lower: float = 0.0, upper: float = 1.0, net: tuple[float, float] = (-np.inf, 1.0)
) -> ConvexSet:
    return ConvexSet(
        names=("net",),
        matrix=np.ones((1, n_assets)),
        row_lower=np.array([net[0]]),
        row_upper=np.array([net[1]]),
        lower=np.full(n_assets, lower),
        upper=np.full(n_assets, upper),
        gross=None,
        turnover=None,
        previous=np.zeros(n_assets),
    )


def nearest(target: list[float], allowed: ConvexSet) -> list[float]:
    found = projected(np.array(target), allowed)
    assert found is not None
    return [float(weight) for weight in found]


def test_what_keeps_every_bound_stays_as_it_is() -> None:
    assert nearest([0.5, 0.2, 0.0], box(3)) == [0.5, 0.2, 0.0]


def test_a_sum_that_is_too_large_is_taken_off_in_equal_parts_and_not_in_proportion() -> None:
    assert nearest([0.9, 0.5, 0.1], box(3)) == pytest.approx([0.7, 0.3, 0.0])


def test_what_a_cap_takes_goes_to_the_others_where_all_has_to_be_invested() -> None:
    # 0.9 is cut to 0.5; the 0.4 that are missing are 0.2 for each of the others.
    assert nearest([0.9, 0.1, 0.0], box(3, upper=0.5, net=(1.0, 1.0))) == pytest.approx([0.5, 0.3, 0.2])


def test_a_group_gives_up_what_it_has_too_much() -> None:
    allowed = replace(
        box(3),
        names=("net", "group tech"),
        matrix=np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]),
        row_lower=np.array([-np.inf, -np.inf]),
        row_upper=np.array([1.0, 0.4]),
    )
    assert nearest([0.4, 0.2, 0.4], allowed) == pytest.approx([0.3, 0.1, 0.4])


def test_gross_shrinks_long_and_short_alike() -> None:
    allowed = replace(box(3, lower=-1.0), gross=1.0)
    # |0.8| + |-0.6| + |0.1| = 1.5: the threshold 0.2 takes 0.2 + 0.2 + 0.1.
    assert nearest([0.8, -0.6, 0.1], allowed) == pytest.approx([0.6, -0.4, 0.0])


def test_turnover_goes_part_of_the_way_from_the_weights_before() -> None:
    allowed = replace(box(2), turnover=0.4, previous=np.array([0.8, 0.2]))
    # Changes of -0.6 and +0.6 are cut by 0.4 each.
    assert nearest([0.2, 0.8], allowed) == pytest.approx([0.6, 0.4])


def random_set(rng: np.random.Generator, n_assets: int) -> tuple[ConvexSet, FloatArray]:
    """A set around a point that it holds, and the point."""
    inside = rng.dirichlet(np.ones(n_assets)) * rng.choice([1.0, -0.5, 1.0], n_assets)
    previous = rng.dirichlet(np.ones(n_assets)) * rng.integers(0, 2, n_assets)
    matrix = np.concatenate([np.ones((1, n_assets)), rng.integers(0, 2, (2, n_assets)).astype(float)])
    sums, room = matrix @ inside, rng.uniform(0, 0.2, (2, 3)) * rng.integers(0, 2, (2, 3))
    allowed = ConvexSet(
        names=("net", "group a", "group b"),
        matrix=matrix,
        row_lower=np.where(rng.random(3) < 0.6, sums - room[0], -np.inf),
        row_upper=np.where(rng.random(3) < 0.6, sums + room[1], np.inf),
        lower=np.minimum(inside, rng.uniform(-0.5, 0.1)),
        upper=np.maximum(inside, rng.uniform(0.1, 0.6)),
        gross=float(np.abs(inside).sum() + rng.uniform(0, 0.3)) if rng.random() < 0.6 else None,
        turnover=float(np.abs(inside - previous).sum() + rng.uniform(0, 0.3)) if rng.random() < 0.6 else None,
        previous=previous,
    )
    return allowed, inside


def excess(weights: FloatArray, allowed: ConvexSet) -> float:
    sums = allowed.matrix @ weights
    worst = [allowed.lower - weights, weights - allowed.upper, allowed.row_lower - sums, sums - allowed.row_upper]
    if allowed.gross is not None:
        worst.append(np.array([np.abs(weights).sum() - allowed.gross]))
    if allowed.turnover is not None:
        worst.append(np.array([np.abs(weights - allowed.previous).sum() - allowed.turnover]))
    return float(np.concatenate(worst).max())


@settings(max_examples=60)
@given(seed=SEEDS, n_assets=st.integers(1, 12))
def test_the_projection_is_in_the_set_stays_there_and_is_nearest(seed: int, n_assets: int) -> None:
    rng = np.random.default_rng(seed)
    allowed, inside = random_set(rng, n_assets)
    target = rng.normal(0.1, 0.5, n_assets)
    found = projected(target, allowed)
    assert found is not None
    assert excess(found, allowed) <= 1e-10
    again = projected(found, allowed)
    assert again is not None
    np.testing.assert_allclose(again, found, atol=1e-9)
    # Of a convex set no point lies beyond the plane through the nearest one (variational inequality).
    assert (target - found) @ (inside - found) <= 1e-9
    other = projected(rng.normal(0.1, 0.5, n_assets), allowed)
    assert other is not None
    assert (target - found) @ (other - found) <= 1e-9


@settings(max_examples=25)
@given(seed=SEEDS)
def test_the_projection_is_that_of_scipys_slsqp(seed: int) -> None:
    rng = np.random.default_rng(seed)
    allowed, inside = random_set(rng, 4)
    target = rng.normal(0.1, 0.5, 4)
    found = projected(target, allowed)
    assert found is not None
    # Absolute values as the sum of every choice of signs, each a linear constraint.
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 4)).reshape(4, -1).T
    rows = [
        (row, low, high) for row, low, high in zip(allowed.matrix, allowed.row_lower, allowed.row_upper, strict=True)
    ]
    rows += [] if allowed.gross is None else [(sign, -np.inf, allowed.gross) for sign in signs]
    if allowed.turnover is not None:
        rows += [(sign, -np.inf, allowed.turnover + float(sign @ allowed.previous)) for sign in signs]
    planes = [(row, high) for row, _, high in rows if np.isfinite(high)]
    planes += [(-row, -low) for row, low, _ in rows if np.isfinite(low)]
    matrix = np.array([row for row, _ in planes]).reshape(-1, 4)
    room = {"type": "ineq", "fun": lambda weights: np.array([high for _, high in planes]) - matrix @ weights}
    theirs = minimize(  # type: ignore[call-overload]  # its stubs know no arrays as bounds
        lambda weights: float(((weights - target) ** 2).sum() / 2),
        inside,
        jac=lambda weights: weights - target,
        bounds=np.column_stack([allowed.lower, allowed.upper]),
        constraints=room if planes else (),
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    if excess(theirs.x, allowed) < 1e-8:  # it fails at times on sets without an interior
        np.testing.assert_allclose(found, theirs.x, atol=1e-5)


def test_a_conflict_is_named_by_the_constraints_that_make_it_and_no_others() -> None:
    allowed = replace(box(4, upper=0.2, net=(1.0, 1.0)), gross=3.0)
    assert projected(np.full(4, 0.25), allowed) is None
    assert conflict_of(allowed) == ("max_weight 0.2 of 4 active assets", "net minimum 1")
    allowed = replace(box(2, net=(0.0, 1.0)), turnover=0.1, previous=np.array([2.0, 0.0]))
    assert conflict_of(allowed) == ("net maximum 1", "turnover 0.1")
    assert conflict_of(box(3)) == ()


@settings(max_examples=25)
@given(seed=SEEDS)
def test_what_is_not_projected_is_infeasible_by_linear_programming(seed: int) -> None:
    rng = np.random.default_rng(seed)
    allowed, _ = random_set(rng, 5)
    allowed = replace(allowed, row_lower=allowed.row_lower + rng.uniform(0, 0.5), row_upper=allowed.row_upper + 0.5)
    assert (projected(rng.normal(0.1, 0.5, 5), allowed) is None) == (conflict_of(allowed) != ())
