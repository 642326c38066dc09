"""What counts as another choice, and what is frozen by a pre-registration."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from strategy.allocation.constraints import Constraints
from strategy.backtest.cost_presets import PRESETS
from strategy.backtest.design import design_of, frozen_id, frozen_spec
from strategy.backtest.spec import BacktestSpec, Execution

SPEC = BacktestSpec(
    strategy="equal_weight",
    strategy_version=1,
    parameters={"tickers": []},
    universe="U",
    start=dt.date(2020, 1, 2),
    end=dt.date(2021, 1, 4),
    base_currency="USD",
    costs=PRESETS["ten_bps"],
    execution=Execution(rebalance="monthly"),
    benchmark=None,
    snapshot="0" * 64,
)
CHOICES: list[dict[str, Any]] = [
    {"strategy": "dual_momentum"},
    {"strategy_version": 2},
    {"parameters": {"tickers": ["A"]}},
    {"universe": "V"},
    {"start": dt.date(2020, 1, 3)},
    {"base_currency": "AUD"},
    {"costs": PRESETS["zero"]},
    {"execution": Execution(rebalance="weekly")},
    {"benchmark": "A"},
    {"constraints": Constraints(max_weight=0.5)},
]


@pytest.mark.parametrize("change", [{"snapshot": "1" * 64}, {"fx_snapshot": "1" * 64}, {"engine_version": 99}])
def test_other_data_or_another_engine_is_no_other_choice(change: dict[str, Any]) -> None:
    assert design_of(replace(SPEC, **change)) == design_of(SPEC)
    assert frozen_id(replace(SPEC, **change)) == frozen_id(SPEC)


def test_another_end_is_another_choice_but_the_same_frozen_spec() -> None:
    later = replace(SPEC, end=dt.date(2022, 1, 4))
    assert design_of(later) != design_of(SPEC)
    assert frozen_id(later) == frozen_id(SPEC)
    assert "end" not in frozen_spec(SPEC)


@pytest.mark.parametrize("change", CHOICES)
def test_whatever_else_is_changed_is_another_choice(change: dict[str, Any]) -> None:
    assert design_of(replace(SPEC, **change)) != design_of(SPEC)
    assert frozen_id(replace(SPEC, **change)) != frozen_id(SPEC)


def test_every_field_of_a_spec_is_accounted_for() -> None:
    changed = {name for change in CHOICES for name in change}
    assert changed | {"snapshot", "fx_snapshot", "engine_version", "end"} == set(BacktestSpec.__dataclass_fields__)
