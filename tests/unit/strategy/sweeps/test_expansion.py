"""Grids and samples of parameters: within the model's bounds, in an order that never changes, each point once."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from strategy.errors import ParameterError
from strategy.library.dual_momentum import DUAL_MOMENTUM
from strategy.sweeps.axes import Axis
from strategy.sweeps.expansion import MOST_TRIALS, Method, Space, expanded

LOOKBACK = Axis(low=20, high=320, scale="log", n_points=5)


def lookbacks(space: Space) -> list[int]:
    return [parameters["lookback"] for parameters in expanded(DUAL_MOMENTUM, {}, space).parameters]


def test_a_grid_is_every_combination_in_order() -> None:
    axes = {"top_n": Axis(values=(1, 2)), "lookback": Axis(values=(63, 252))}
    found = expanded(DUAL_MOMENTUM, {"skip": 21}, Space(axes=axes))
    pairs = [(it["lookback"], it["top_n"], it["skip"]) for it in found.parameters]
    assert pairs == [(63, 1, 21), (63, 2, 21), (252, 1, 21), (252, 2, 21)]
    assert found.n_refused == 0


def test_a_logarithmic_range_doubles_from_point_to_point() -> None:
    # 320 / 20 is 2 to the fourth: five points lie a factor of two apart.
    assert lookbacks(Space(axes={"lookback": LOOKBACK})) == [20, 40, 80, 160, 320]


def test_a_linear_range_holds_both_ends() -> None:
    assert lookbacks(Space(axes={"lookback": Axis(low=10, high=20, n_points=3)})) == [10, 15, 20]


def test_points_that_round_to_the_same_are_one_trial() -> None:
    assert lookbacks(Space(axes={"lookback": Axis(low=10, high=12, n_points=9)})) == [10, 11, 12]


def test_a_sobol_sample_is_that_of_scipy() -> None:
    space = Space(axes={"risk_free_rate": Axis(low=0.0, high=0.2)}, method="sobol", n_samples=8, seed=3)
    found = [it["risk_free_rate"] for it in expanded(DUAL_MOMENTUM, {}, space).parameters]
    assert found == pytest.approx(0.2 * qmc.Sobol(1, rng=3).random_base2(3)[:, 0])


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), method=st.sampled_from(("random", "sobol")), n_samples=st.integers(1, 40))
def test_a_sample_stays_in_its_bounds_and_repeats_itself(seed: int, method: Method, n_samples: int) -> None:
    axes = {"lookback": LOOKBACK, "risk_free_rate": Axis(low=-0.05, high=0.25)}
    space = Space(axes=axes, method=method, n_samples=n_samples, seed=seed)
    found = expanded(DUAL_MOMENTUM, {}, space).parameters
    assert expanded(DUAL_MOMENTUM, {}, space).parameters == found
    assert 1 <= len(found) <= n_samples
    assert all(20 <= it["lookback"] <= 320 and -0.05 <= it["risk_free_rate"] <= 0.25 for it in found)


@given(position=st.floats(0, 1), low=st.floats(1e-6, 1e3), factor=st.floats(1.001, 1e6))
def test_a_point_of_a_range_lies_in_it(position: float, low: float, factor: float) -> None:
    for scale in ("linear", "log"):
        value = Axis(low=low, high=low * factor, scale=scale).at(position)
        assert low * (1 - 1e-12) <= value <= low * factor * (1 + 1e-12)
        assert math.isfinite(value)


@pytest.mark.parametrize(
    ("axes", "field", "word"),
    [
        ({}, "axes", "lookback"),
        ({"speed": Axis(values=(1,))}, "axes.speed", "no parameter of dual_momentum"),
        ({"lookback": Axis(values=(63, 1))}, "axes.lookback", "greater than or equal to 2"),
        ({"lookback": Axis(low=20, high=9999)}, "axes.lookback", "less than or equal to 1260"),
        ({"lookback": Axis(values=("long",))}, "axes.lookback", "integer"),
        ({"lookback": Axis(low=20)}, "axes.lookback", "low and high"),
        ({"lookback": Axis(low=20, high=20)}, "axes.lookback", "below"),
        ({"lookback": Axis()}, "axes.lookback", "either values"),
        ({"lookback": Axis(values=(63,), low=1, high=2)}, "axes.lookback", "either values"),
        ({"skip": Axis(low=0, high=10, scale="log")}, "axes.skip", "above zero"),
        ({"defensive": Axis(low=0, high=1)}, "axes.defensive", "give values"),
    ],
)
def test_a_wrong_axis_is_refused_with_its_field_and_reason(axes: dict[str, Axis], field: str, word: str) -> None:
    with pytest.raises(ParameterError, match=word) as caught:
        expanded(DUAL_MOMENTUM, {}, Space(axes=axes))
    assert caught.value.field == field


def test_more_trials_than_can_be_judged_are_refused() -> None:
    axes = {"lookback": Axis(values=tuple(range(2, 102))), "top_n": Axis(values=tuple(range(1, 102)))}
    with pytest.raises(ParameterError, match=rf"10100.*1 to {MOST_TRIALS}"):
        expanded(DUAL_MOMENTUM, {}, Space(axes=axes))
    sample = Space(axes={"lookback": LOOKBACK}, method="random", n_samples=MOST_TRIALS + 1)
    with pytest.raises(ParameterError, match="draw fewer"):
        expanded(DUAL_MOMENTUM, {}, sample)
