"""The figures of a simulation: complete, defined, and those of trading by hand."""

from __future__ import annotations

import numpy as np
import pytest

from strategy.backtest.costs import CostModel
from strategy.backtest.definitions import DEFINITIONS
from strategy.backtest.engine import simulate
from strategy.backtest.metrics.units import Metric
from strategy.backtest.report import simulation_metrics
from strategy.backtest.simulation import Decisions, Simulation
from strategy.backtest.spec import Execution
from strategy.backtest.valuation import valuation_prices
from strategy.panel import PricePanel
from support.panels import business_days, panel_of


def metrics_of(found: Simulation, panel: PricePanel, *, periods_per_year: int = 252) -> tuple[Metric, ...]:
    return simulation_metrics(
        found,
        found,
        panel.sessions,
        prices=valuation_prices(panel),
        cash_rate=0.0,
        periods_per_year=periods_per_year,
    )


def test_the_report_holds_every_definition_and_no_nan() -> None:
    panel = panel_of(np.full((5, 1), 10.0), sessions=business_days(5))
    decisions = Decisions(rows=np.array([0]), weights=np.zeros((1, 1)))
    found = simulate(panel, decisions, costs=CostModel(), execution=Execution(), first_row=0, last_row=4)
    report = {metric.key: metric for metric in metrics_of(found, panel)}
    assert list(report) == list(DEFINITIONS)
    assert report["sharpe"].value is None
    assert report["total_return"].value == 0
    assert report["n_orders"].value == 0


def test_turnover_and_cost_drag_by_hand() -> None:
    panel = panel_of(np.full((253, 1), 10.0))
    decisions = Decisions(rows=np.array([0]), weights=np.ones((1, 1)))
    found = simulate(
        panel, decisions, costs=CostModel(bps=100), execution=Execution(initial_cash=1010.0), first_row=0, last_row=252
    )
    report = {metric.key: metric.value for metric in metrics_of(found, panel)}
    # One year: 1,000 bought, 10 paid; equity 1,010 on the first of 253 sessions and 1,000 on the others.
    mean = (1010 + 252 * 1000) / 253
    assert report["turnover"] == pytest.approx(500 / mean)
    assert report["cost_drag"] == pytest.approx(10 / mean)
    assert report["exposure"] == pytest.approx(252 / 253)


def test_beside_itself_a_portfolio_has_a_beta_of_one_and_nothing_active() -> None:
    panel = panel_of(np.array([[10.0], [11.0], [10.5], [12.0], [11.0]]), sessions=business_days(5))
    decisions = Decisions(rows=np.array([0]), weights=np.ones((1, 1)))
    found = simulate(panel, decisions, costs=CostModel(), execution=Execution(), first_row=0, last_row=4)
    report = {metric.key: metric.value for metric in metrics_of(found, panel)}
    assert report["beta"] == pytest.approx(1)
    assert report["alpha"] == pytest.approx(0, abs=1e-12)
    assert report["tracking_error"] == 0
    assert report["information_ratio"] is None
    assert report["excess_cagr"] == 0
    # Bought at 11: 11 -> 12 on Tuesday is the high, and 11 the low of Wednesday that is not made good.
    assert report["drawdown_trough"] == str(panel.sessions[4])
    assert report["drawdown_recovery"] is None
    assert report["longest_drawdown"] == 1


def test_annual_figures_follow_the_sessions_a_year() -> None:
    panel = panel_of(np.array([[10.0], [11.0], [10.5], [12.0], [11.0]]), sessions=business_days(5))
    decisions = Decisions(rows=np.array([0]), weights=np.ones((1, 1)))
    found = simulate(panel, decisions, costs=CostModel(), execution=Execution(), first_row=0, last_row=4)
    crypto, shares = (
        {metric.key: metric.value for metric in metrics_of(found, panel, periods_per_year=number)}
        for number in (365, 252)
    )
    for key in ("volatility", "sharpe", "sortino", "downside_deviation"):
        expected = shares[key]
        assert isinstance(expected, float)
        assert crypto[key] == pytest.approx(expected * (365 / 252) ** 0.5), key
    assert crypto["periods_per_year"] == 365
    assert crypto["cagr"] == shares["cagr"]  # by calendar days


def test_a_long_and_a_short_cancel_in_net_and_add_in_gross_exposure() -> None:
    panel = panel_of(np.full((5, 2), 10.0), sessions=business_days(5))
    decisions = Decisions(rows=np.array([0]), weights=np.array([[0.6, -0.4]]), allow_short=True)
    execution = Execution(allow_short=True)
    found = simulate(panel, decisions, costs=CostModel(), execution=execution, first_row=0, last_row=4)
    report = {metric.key: metric.value for metric in metrics_of(found, panel)}
    # Held at four of the five closes: long 60 % and short 40 %.
    assert report["exposure"] == pytest.approx(0.2 * 4 / 5)
    assert report["gross_exposure"] == pytest.approx(1.0 * 4 / 5)
