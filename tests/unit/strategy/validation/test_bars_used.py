"""Quality of the bars that a result stands on, counted by hand."""

from __future__ import annotations

import numpy as np

from strategy.backtest.cost_presets import PRESETS
from strategy.backtest.engine import simulate
from strategy.backtest.simulation import Decisions, Simulation
from strategy.backtest.spec import Execution
from strategy.panel import PricePanel
from strategy.validation.bars_used import BarCounts, SuspectBars, bars_used
from support.panels import panel_of

#: T000 is held from the second session to the open of the fourth, then T001; T002 never. One bar is not there.
PANEL = panel_of(np.array([[10, 10, 10], [10, 10, 10], [10, 10, np.nan], [10, 10, 10], [10, 10, 10], [10, 10, 10.0]]))
WEIGHTS = np.array([[1.0, 0, 0], [0, 1, 0]])


def simulation(panel: PricePanel) -> Simulation:
    decisions = Decisions(rows=np.array([0, 2], dtype=np.intp), weights=WEIGHTS)
    return simulate(panel, decisions, costs=PRESETS["zero"], execution=Execution(), first_row=0, last_row=5)


def suspects(*bars: tuple[int, int, str]) -> SuspectBars:
    return SuspectBars(
        rows=np.array([row for row, _, _ in bars], dtype=np.intp),
        columns=np.array([column for _, column, _ in bars], dtype=np.intp),
        rules=tuple(tuple(rules.split(",")) for _, _, rules in bars),
    )


def test_bars_up_to_the_last_decision_are_read_and_those_of_holdings_held() -> None:
    used = bars_used(PANEL, simulation(PANEL), last_decision=2, suspects=suspects())
    # Nine bars less the one that is not there; T000 in sessions 2, 3, 4 and T001 in 4, 5, 6.
    assert used.read == BarCounts(good=8, suspect=0, rules={})
    assert used.held == BarCounts(good=6, suspect=0, rules={})


def test_suspect_bars_are_counted_where_they_were_used_by_each_rule() -> None:
    flagged = suspects((1, 2, "gap"), (3, 0, "gap,stale"), (3, 2, "stale"), (4, 0, "gap"), (5, 1, "stale"))
    used = bars_used(PANEL, simulation(PANEL), last_decision=2, suspects=flagged)
    assert used.read == BarCounts(good=7, suspect=1, rules={"gap": 1})
    # T000 was sold in the fourth session, on a suspect bar; its bar of the fifth concerns nobody.
    assert used.held == BarCounts(good=4, suspect=2, rules={"gap": 1, "stale": 2})
