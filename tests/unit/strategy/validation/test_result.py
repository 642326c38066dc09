"""A finished backtest is parted into its holding periods and taken through the windows that its data cover."""

from __future__ import annotations

import numpy as np
import pytest

from strategy.panel import DateArray
from strategy.validation.monte_carlo import QUANTILES
from strategy.validation.result import Curves, ResultTests, result_tests
from strategy.validation.stress import WINDOWS
from support.panels import business_days, panel_of

#: Two years from before the pandemic.
SESSIONS = business_days(520, "2019-06-03")


def curves(*, sessions: DateArray = SESSIONS, rebalanced: DateArray | None = None, at_close: bool = False) -> Curves:
    steps = np.random.default_rng(1).normal(0.0005, 0.01, size=(2, sessions.size))
    equity, benchmark = 1_000 * np.exp(np.cumsum(steps, axis=1))
    return Curves(
        sessions=sessions,
        equity=equity,
        benchmark=benchmark,
        rebalanced=sessions[[1, 40, 80]] if rebalanced is None else rebalanced,
        fills_at_close=at_close,
    )


def results(curves: Curves) -> ResultTests:
    prices = np.linspace([100.0, 50.0], [80.0, 90.0], SESSIONS.size)
    panel = panel_of(prices, sessions=SESSIONS)
    generator = np.random.default_rng(2)
    return result_tests(curves, panel, np.array([0.5, 0.0]), cash_rate=0.0, generator=generator, n_samples=50)


def test_a_fill_at_the_open_owns_the_return_of_its_session() -> None:
    """The return of row 39 leads to session 40."""
    assert curves().period_starts.tolist() == [0, 39, 79]


def test_a_fill_at_the_close_owns_the_return_of_the_next() -> None:
    assert curves(at_close=True).period_starts.tolist() == [0, 1, 40, 80]


def test_a_fill_on_the_last_session_begins_no_period() -> None:
    assert curves(rebalanced=SESSIONS[[-1]], at_close=True).period_starts.tolist() == [0]


def test_only_the_window_that_is_covered_is_replayed() -> None:
    stress = results(curves()).stress
    assert [test.window for test in stress] == list(WINDOWS)
    covered = [test.window.name for test in stress if test.strategy and test.benchmark and test.holdings]
    assert covered == ["2020"]
    assert sum(test.strategy is not None or test.holdings is not None for test in stress) == 1


def test_last_holdings_go_through_windows_before_the_backtest_began() -> None:
    """Half of equity in what falls by 20 over 519 steps from 100, from row 187 (19 February) to 210 (23 March)."""
    late = results(curves(sessions=SESSIONS[300:]))
    (window,) = (test for test in late.stress if test.window.name == "2020")
    assert window.strategy is None
    assert window.holdings is not None
    first, last = (int(np.searchsorted(SESSIONS, np.datetime64(day))) for day in ("2020-02-19", "2020-03-23"))
    prices = [100 - 20 * row / 519 for row in (first, last)]
    assert window.holdings.replay.total_return == pytest.approx(0.5 * (prices[1] / prices[0] - 1))


def test_the_result_follows_from_the_seed() -> None:
    first, second = results(curves()), results(curves())
    assert first.orders.n_periods == 3
    assert first.paths.sharpe.quantiles.tolist() == second.paths.sharpe.quantiles.tolist()
    assert first.orders.max_drawdown.quantiles.size == len(QUANTILES)
