"""Windows, replays and shocks on cases small enough for paper."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from strategy.adjustments import CorporateActions
from strategy.errors import StatisticError
from strategy.panel import FloatArray
from strategy.validation.stress import (
    WINDOWS,
    Window,
    closing_weights,
    replayed_curve,
    replayed_holdings,
    shocked_holdings,
    window_rows,
)
from support.panels import business_days, panel_of

#: A Friday to the Monday ten days later.
WINDOW = Window(name="w", title="A test", start=dt.date(2020, 1, 3), end=dt.date(2020, 1, 13))
#: Session 2 is Friday the 3rd, session 8 Monday the 13th.
SESSIONS = business_days(12)


def weights(*values: float) -> FloatArray:
    return np.array(values)


def test_a_window_is_covered_from_close_to_close() -> None:
    assert window_rows(SESSIONS, WINDOW) == slice(2, 9)


def test_a_day_without_a_session_stands_for_the_one_before_it() -> None:
    sunday = Window(name="w", title="A test", start=dt.date(2020, 1, 5), end=dt.date(2020, 1, 12))
    assert window_rows(SESSIONS, sunday) == slice(2, 8)


def test_half_a_window_is_no_window() -> None:
    assert window_rows(SESSIONS[3:], WINDOW) is None
    assert window_rows(SESSIONS[:8], WINDOW) is None


def test_windows_are_in_order_and_known_by_different_names() -> None:
    assert len({window.name for window in WINDOWS}) == len(WINDOWS)
    starts = [window.start for window in WINDOWS]
    assert starts == sorted(starts)
    assert all(window.start < window.end for window in WINDOWS)


def test_a_curve_is_replayed_by_hand() -> None:
    """100, 110, 88, 99: ends 1 % lower, and 88 is 20 % below 110."""
    replay = replayed_curve(np.array([100.0, 110.0, 88.0, 99.0]))
    assert (replay.total_return, replay.max_drawdown) == pytest.approx((-0.01, -0.2))


def test_holdings_drift_and_cash_stays() -> None:
    """Half in A (100, 50, 60), a quarter in B (10, 10, 20), a quarter cash: 1, 0.75, 0.5*0.6 + 0.25*2 + 0.25 = 1.05."""
    panel = panel_of(np.array([[100.0, 10.0], [50.0, 10.0], [60.0, 20.0]]))
    found = replayed_holdings(panel, weights(0.5, 0.25), slice(0, 3))
    assert (found.replay.total_return, found.replay.max_drawdown) == pytest.approx((0.05, -0.25))
    assert found.covered == 1.0


def test_dividends_and_splits_are_no_losses() -> None:
    """A two-for-one split and, on the last day, a dividend of 5 on a close of 50 that falls to 45: nothing is lost."""
    actions = CorporateActions(
        rows=np.array([1, 2]),
        columns=np.array([0, 0]),
        split_ratios=np.array([2.0, 1.0]),
        dividends=np.array([0.0, 5.0]),
    )
    panel = panel_of(np.array([[100.0], [50.0], [45.0]]), actions=actions)
    assert replayed_holdings(panel, weights(1.0), slice(0, 3)).replay.total_return == pytest.approx(0.0, abs=1e-12)


def test_a_holding_that_did_not_exist_then_is_stated_and_not_invented() -> None:
    panel = panel_of(np.array([[100.0, np.nan], [50.0, 10.0]]))
    found = replayed_holdings(panel, weights(0.25, 0.75), slice(0, 2))
    assert found.covered == pytest.approx(0.25)
    assert found.replay.total_return == pytest.approx(-0.125)


def test_a_missing_price_is_the_one_before_it() -> None:
    panel = panel_of(np.array([[100.0], [80.0], [np.nan], [np.nan]]))
    assert replayed_holdings(panel, weights(1.0), slice(0, 4)).replay.total_return == pytest.approx(-0.2)


def test_cash_is_replayed_as_nothing() -> None:
    panel = panel_of(np.array([[100.0], [80.0]]))
    found = replayed_holdings(panel, weights(0.0), slice(0, 2))
    assert (found.replay.total_return, found.covered) == (0.0, 1.0)


def test_a_short_that_loses_everything_wins_nothing_back() -> None:
    """A rise by 150 % costs a short of one half 0.75; one of the whole is ruined, though the price falls again."""
    panel = panel_of(np.array([[100.0], [250.0], [100.0]]))
    half, whole = (replayed_holdings(panel, weights(short), slice(0, 3)).replay for short in (-0.5, -1.0))
    assert (half.total_return, half.max_drawdown) == pytest.approx((0.0, -0.75))
    assert (whole.total_return, whole.max_drawdown) == (-1.0, -1.0)


def test_closing_weights_are_values_at_the_last_close() -> None:
    """3 shares at 20 and 1 of what last closed at 8, of an equity of 100; what was never priced is not held."""
    panel = panel_of(np.array([[10.0, 8.0, np.nan], [20.0, np.nan, np.nan]]))
    assert closing_weights(panel, weights(3.0, 1.0, 0.0), 100.0) == pytest.approx([0.6, 0.08, 0.0])


def test_a_shock_of_a_ticker_goes_before_that_of_its_class() -> None:
    """Half in A, -30 % of itself; 0.2 in B, -10 % as a share; 0.3 in C, of a class that nothing moves."""
    found = shocked_holdings(
        weights(0.5, 0.2, 0.3),
        ("A", "B", "C"),
        shocks={"A": -0.3},
        classes={"A": "equity", "B": "equity", "C": "fund"},
        class_shocks={"equity": -0.1},
    )
    assert found.by_ticker == pytest.approx({"A": -0.15, "B": -0.02})
    assert found.total == pytest.approx(-0.17)


@pytest.mark.parametrize(
    ("shocks", "class_shocks", "message"),
    [
        ({"X": -0.1}, {}, "no ticker of this universe; known are A"),
        ({"A": -1.1}, {}, "between -1 and 10"),
        ({"A": float("nan")}, {}, "between -1 and 10"),
        ({}, {"crypto": -0.5}, "no asset class of this universe; known are equity"),
    ],
)
def test_a_shock_that_means_nothing_is_refused(
    shocks: dict[str, float], class_shocks: dict[str, float], message: str
) -> None:
    with pytest.raises(StatisticError, match=message):
        shocked_holdings(weights(1.0), ("A",), shocks=shocks, classes={"A": "equity"}, class_shocks=class_shocks)


@pytest.mark.shared_data
@pytest.mark.parametrize("window", [window for window in WINDOWS if window.start.year >= 2007], ids=lambda it: it.name)
def test_windows_go_from_high_to_low_of_the_real_market(window: Window, shared_data: Path) -> None:
    """Closes of SPY, which follows the S&P 500: none is higher than the window's first, none lower than its last."""
    path = shared_data / "prices" / "etf_2006_2026.parquet"
    table = pq.read_table(path, columns=["date", "close"], filters=[("symbol", "==", "SPY")])
    days = table.column("date").to_numpy().astype("datetime64[D]")
    rows = window_rows(days, window)
    assert rows is not None
    assert (str(days[rows][0]), str(days[rows][-1])) == (window.start.isoformat(), window.end.isoformat())
    closes = table.column("close").to_numpy()[rows]
    assert closes.max() == closes[0]
    assert closes.min() == closes[-1]
