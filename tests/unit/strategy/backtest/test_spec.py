"""The spec and its hash."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.allocation.constraints import Constraints, Group
from strategy.backtest.costs import CostModel, CostTier
from strategy.backtest.spec import BacktestSpec, Execution
from strategy.errors import ExecutionError

SPEC = BacktestSpec(
    strategy="dual_momentum",
    strategy_version=1,
    parameters={"lookback": 252, "top_n": 3},
    universe="U",
    start=dt.date(2010, 1, 4),
    end=dt.date(2012, 12, 31),
    base_currency="USD",
    costs=CostModel(bps=10),
    execution=Execution(rebalance="monthly"),
    benchmark=None,
    snapshot="0" * 64,
)


def test_the_id_is_the_hash_of_the_canonical_json() -> None:
    assert SPEC.backtest_id == hashlib.sha256(SPEC.canonical_json()).hexdigest()
    body = json.loads(SPEC.canonical_json())
    assert list(body) == sorted(body)
    assert b" " not in SPEC.canonical_json()


def test_the_order_of_parameters_and_the_kind_of_a_number_do_not_matter() -> None:
    other = dataclasses.replace(
        SPEC,
        parameters={"top_n": 3, "lookback": 252},
        costs=CostModel(bps=10.0),
        execution=Execution(rebalance="monthly", initial_cash=100_000),
    )
    assert other.backtest_id == SPEC.backtest_id


@pytest.mark.parametrize(
    "change",
    [
        {"strategy": "equal_weight"},
        {"strategy_version": 2},
        {"parameters": {"lookback": 251, "top_n": 3}},
        {"universe": "V"},
        {"start": dt.date(2010, 1, 5)},
        {"end": dt.date(2012, 12, 28)},
        {"base_currency": "AUD"},
        {"costs": CostModel(bps=11)},
        {"costs": CostModel(bps=10, impact=1)},
        {"costs": CostModel(bps=10, tiers=(CostTier(up_to=None),))},
        {"execution": Execution(rebalance="weekly")},
        {"benchmark": "SPY"},
        {"snapshot": "1" * 64},
        {"engine_version": 99},
        {"fx_snapshot": "1" * 64},
        {"constraints": Constraints()},
    ],
)
def test_every_field_is_part_of_the_id(change: dict[str, Any]) -> None:
    assert dataclasses.replace(SPEC, **change).backtest_id != SPEC.backtest_id


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(parameters=st.dictionaries(st.text(), json_values, max_size=4), bps=st.floats(0, 1000), cash=st.floats(1, 1e12))
def test_a_spec_survives_its_json(parameters: dict[str, Any], bps: float, cash: float) -> None:
    spec = dataclasses.replace(
        SPEC,
        parameters=parameters,
        costs=CostModel(bps=bps, tiers=(CostTier(up_to=1_000, flat=5), CostTier(up_to=None, bps=bps))),
        execution=Execution(rebalance="once", initial_cash=cash),
        constraints=Constraints(turnover=cash, groups=(Group(name="g", tickers=("A", "B"), maximum=1),)),
    )
    assert BacktestSpec.from_json(spec.canonical_json()) == spec
    assert BacktestSpec.from_json(spec.canonical_json()).backtest_id == spec.backtest_id


def test_nan_has_no_place_in_a_spec() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dataclasses.replace(SPEC, parameters={"x": float("nan")}).canonical_json()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fill", "this_close"),
        ("rebalance", "hourly"),
        ("initial_cash", 0.0),
        ("initial_cash", float("nan")),
        ("cash_rate", 0.3),
        ("delist_after", 0),
        ("delisting_return", -1.1),
    ],
)
def test_a_wrong_execution_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ExecutionError, match=field):
        Execution(**{field: value})  # type: ignore[arg-type]  # wrong on purpose
