"""The spec of a sweep: one text, one id, whichever way it was asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from strategy.backtest.cost_presets import PRESETS
from strategy.backtest.spec import BacktestSpec, Execution
from strategy.errors import ParameterError
from strategy.library.dual_momentum import DUAL_MOMENTUM
from strategy.sweeps.axes import Axis
from strategy.sweeps.expansion import Space
from strategy.sweeps.spec import SweepSpec, WalkForward, fixed_parameters

AXES = {"lookback": Axis(low=20.0, high=250.0, scale="log"), "top_n": Axis(values=(1, 2))}
BASE = BacktestSpec(
    strategy="dual_momentum",
    strategy_version=1,
    parameters=fixed_parameters(DUAL_MOMENTUM, {}, AXES),
    universe="U",
    start=dt.date(2020, 1, 2),
    end=dt.date(2021, 1, 4),
    base_currency="USD",
    costs=PRESETS["ten_bps"],
    execution=Execution(rebalance="monthly"),
    benchmark=None,
    snapshot="a" * 64,
)
SPEC = SweepSpec(base=BASE, space=Space(axes=AXES), walk_forward=WalkForward())


def test_a_spec_survives_its_own_json() -> None:
    again = SweepSpec.from_json(SPEC.canonical_json())
    assert again == SPEC
    assert again.sweep_id == SPEC.sweep_id


def test_the_order_of_the_axes_changes_no_id() -> None:
    other = replace(SPEC, space=Space(axes=dict(reversed(AXES.items()))))
    assert other.sweep_id == SPEC.sweep_id
    assert other.expansion(DUAL_MOMENTUM) == SPEC.expansion(DUAL_MOMENTUM)


@pytest.mark.parametrize(
    "other",
    [
        replace(SPEC, walk_forward=None),
        replace(SPEC, space=Space(axes=AXES, method="sobol")),
        replace(SPEC, base=replace(BASE, snapshot="b" * 64)),
    ],
)
def test_whatever_changes_a_trial_or_its_judgement_changes_the_id(other: SweepSpec) -> None:
    assert other.sweep_id != SPEC.sweep_id


def test_a_default_that_is_given_is_the_default() -> None:
    assert fixed_parameters(DUAL_MOMENTUM, {"skip": 0}, AXES) == fixed_parameters(DUAL_MOMENTUM, {}, AXES)
    assert "lookback" not in fixed_parameters(DUAL_MOMENTUM, {}, AXES)


def test_a_trial_of_a_sweep_is_the_backtest_of_its_parameters() -> None:
    first = SPEC.trial(SPEC.expansion(DUAL_MOMENTUM).parameters[0])
    assert first.parameters == DUAL_MOMENTUM.parameters(lookback=20, top_n=1).model_dump(mode="json")


@pytest.mark.parametrize(("given", "word"), [({"top_n": 3}, "searched"), ({"speed": 3}, "no parameter")])
def test_a_parameter_that_is_searched_or_unknown_is_refused(given: dict[str, int], word: str) -> None:
    with pytest.raises(ParameterError, match=word):
        fixed_parameters(DUAL_MOMENTUM, given, AXES)
