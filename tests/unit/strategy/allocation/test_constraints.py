"""Constraints of decisions: by hand on a small panel, and through a whole backtest."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from strategy.allocation.constraints import Constraints, Group, constrained_weights
from strategy.backtest.cost_presets import PRESETS
from strategy.backtest.run import run_backtest
from strategy.backtest.spec import BacktestSpec, Execution
from strategy.errors import ExecutionError, InfeasibleConstraintsError
from strategy.panel import FloatArray, PricePanel
from strategy.registry import find_strategy, parsed_parameters
from support.panels import panel_of, random_panel

PANEL = panel_of(np.full((4, 3), 10.0), tickers=("A", "B", "C"))


def kept(weights: list[list[float]], constraints: Constraints, panel: PricePanel = PANEL) -> FloatArray:
    return constrained_weights(panel, np.arange(len(weights)), np.array(weights), constraints)


def test_a_cap_leaves_the_rest_in_cash_unless_all_has_to_be_invested() -> None:
    assert kept([[0.9, 0.1, 0.0]], Constraints(max_weight=0.5)).tolist() == [[0.5, 0.1, 0.0]]
    invested = kept([[0.9, 0.1, 0.0]], Constraints(max_weight=0.5, net_min=1))
    assert invested[0].tolist() == pytest.approx([0.5, 0.3, 0.2])


def test_a_minimum_is_for_what_the_strategy_holds() -> None:
    assert kept([[0.6, 0.05, 0.0]], Constraints(min_weight=0.1)).tolist() == [[0.6, 0.1, 0.0]]


def test_what_is_sold_short_has_the_cap_on_its_side_of_zero_unless_a_least_weight_is_given() -> None:
    target = [[0.7, -0.7, 0.1]]
    assert kept(target, Constraints(max_weight=0.5)).tolist() == [[0.5, -0.5, 0.1]]
    assert kept(target, Constraints(max_weight=0.5, min_weight=-0.2)).tolist() == [[0.5, -0.2, 0.1]]
    assert kept(target, Constraints(max_weight=0.5, min_weight=0.0)).tolist() == [[0.5, 0.0, 0.1]]


def test_turnover_is_counted_from_what_was_decided_before_and_the_first_purchase_is_free() -> None:
    found = kept([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]], Constraints(turnover=1.0))
    np.testing.assert_allclose(found, [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0]], atol=1e-12)


def test_all_cash_stays_all_cash_unless_net_or_turnover_does_not_allow_it() -> None:
    group = Group(name="g", tickers=("A", "B"), minimum=0.4)
    assert not kept([[0.0, 0.0, 0.0]], Constraints(min_weight=0.2, groups=(group,))).any()
    assert kept([[0.0, 0.0, 0.0]], Constraints(net_min=0.3))[0].tolist() == pytest.approx([0.1, 0.1, 0.1])
    found = kept([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], Constraints(turnover=0.25))
    assert found[1].tolist() == pytest.approx([0.75, 0.0, 0.0])


def test_an_asset_that_is_not_active_has_no_weight_and_no_turnover() -> None:
    closes = np.full((4, 3), 10.0)
    closes[1:, 0] = np.nan
    panel = panel_of(closes, tickers=("A", "B", "C"))
    found = kept([[1.0, 0.0, 0.0], [0.0, 0.4, 0.4]], Constraints(turnover=0.5), panel)
    assert found[1].tolist() == pytest.approx([0.0, 0.25, 0.25])


def test_a_group_is_bounded_together() -> None:
    group = Group(name="tech", tickers=("A", "C"), maximum=0.4)
    assert kept([[0.4, 0.3, 0.2]], Constraints(groups=(group,)))[0].tolist() == pytest.approx([0.3, 0.3, 0.1])
    with pytest.raises(ExecutionError, match=r"constraints\.groups\.tech='X': is not in the universe"):
        kept([[0.4, 0.3, 0.2]], Constraints(groups=(replace(group, tickers=("A", "X")),)))


def test_what_contradicts_itself_is_refused_by_name_figure_and_session() -> None:
    with pytest.raises(InfeasibleConstraintsError) as error:
        kept([[1.0, 0.0, 0.0]], Constraints(max_weight=0.3, net_min=1, turnover=0.5))
    assert str(error.value) == (
        "on 2020-01-01 no weights keep max_weight 0.3 of 3 active assets and net minimum 1; relax one of them"
    )


@pytest.mark.parametrize(
    ("figures", "field"),
    [
        ({"min_weight": 0.6, "max_weight": 0.5}, "weight"),
        ({"net_min": 1.1}, "net"),
        ({"gross": -1.0}, "gross"),
        ({"turnover": float("nan")}, "turnover"),
    ],
)
def test_a_wrong_figure_is_refused_by_name(figures: dict[str, float], field: str) -> None:
    with pytest.raises(ExecutionError, match=rf"constraints\.{field}"):
        Constraints(**figures)  # type: ignore[arg-type]  # one of many fields


def test_a_backtest_holds_what_the_constraints_leave() -> None:
    panel = random_panel(3, n_dates=60, n_assets=4)
    strategy = find_strategy("equal_weight")
    spec = BacktestSpec(
        strategy=strategy.key,
        strategy_version=strategy.version,
        parameters={},
        universe="U",
        start=dt.date(2020, 1, 1),
        end=dt.date(2020, 12, 31),
        base_currency="USD",
        costs=PRESETS["zero"],
        execution=Execution(rebalance="weekly"),
        benchmark=None,
        snapshot="0" * 64,
    )
    capped = replace(spec, constraints=Constraints(max_weight=0.2))
    plain, found = (run_backtest(panel, each, strategy, parsed_parameters(strategy, {})) for each in (spec, capped))
    assert plain.simulation.cash[5] == pytest.approx(0.0, abs=1e-6)
    # Four times 20 % of 100,000, bought at the opens of the second session.
    first = found.simulation.orders.values[:4]
    assert first.tolist() == pytest.approx([20_000.0] * 4)
