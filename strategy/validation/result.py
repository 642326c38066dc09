"""A finished backtest put to the test: resampled, reordered, and taken through bad times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strategy.backtest.metrics import session_returns
from strategy.calendar import periods_per_year
from strategy.panel import DateArray, FloatArray, IntArray, PricePanel
from strategy.validation.monte_carlo import ReorderedPeriods, ResampledPaths, reordered_periods, resampled_paths
from strategy.validation.stress import (
    WINDOWS,
    HoldingsReplay,
    Replay,
    Window,
    replayed_curve,
    replayed_holdings,
    window_rows,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """What a backtest left behind.

    Parameters
    ----------
    sessions : ndarray of shape (n,), datetime64[D]
    equity, benchmark : ndarray of shape (n,)
        At the close, base currency, above zero.
    rebalanced : ndarray of datetime64[D]
        Sessions on which orders of a rebalance filled, sorted.
    fills_at_close : bool
        Whether those filled at the close; otherwise at the open, so that the session's return is theirs already.
    """

    sessions: DateArray
    equity: FloatArray
    benchmark: FloatArray
    rebalanced: DateArray
    fills_at_close: bool

    @property
    def period_starts(self) -> IntArray:
        """Rows of the session returns at which a holding period begins, 0 first."""
        starts = np.searchsorted(self.sessions, self.rebalanced) - (0 if self.fills_at_close else 1)
        inside = starts[(starts > 0) & (starts < self.sessions.size - 1)]
        return np.unique(np.concatenate([[0], inside])).astype(np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class StressTest:
    """A window as the backtest lived it, and as its last holdings would: None where data do not cover it."""

    window: Window
    strategy: Replay | None
    benchmark: Replay | None
    holdings: HoldingsReplay | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTests:
    """Every test of a finished backtest."""

    paths: ResampledPaths
    orders: ReorderedPeriods
    stress: tuple[StressTest, ...]


def result_tests(
    curves: Curves,
    panel: PricePanel,
    weights: FloatArray,
    *,
    cash_rate: float,
    generator: np.random.Generator,
    n_samples: int,
) -> ResultTests:
    """Resample and reorder the returns, and replay every window.

    Parameters
    ----------
    curves : Curves
    panel : PricePanel
        Of the backtest, from the first session there is: windows before its start are for the holdings.
    weights : ndarray of shape (n_assets,)
        Last holdings as shares of equity.
    cash_rate : float
        Fraction a year that the Sharpe ratio is above.
    generator, n_samples
        As for `resampled_paths`.

    Raises
    ------
    InsufficientHistoryError, StatisticError
        If there are too few returns to resample, or one of them lost everything.
    """
    returns = session_returns(curves.equity)
    return ResultTests(
        paths=resampled_paths(
            returns,
            periods_per_year=periods_per_year(panel.sessions),
            risk_free_rate=cash_rate,
            generator=generator,
            n_samples=n_samples,
        ),
        orders=reordered_periods(returns, curves.period_starts, generator=generator, n_samples=n_samples),
        stress=tuple(_stress_test(window, curves, panel, weights) for window in WINDOWS),
    )


def _stress_test(window: Window, curves: Curves, panel: PricePanel, weights: FloatArray) -> StressTest:
    lived, known = window_rows(curves.sessions, window), window_rows(panel.sessions, window)
    return StressTest(
        window=window,
        strategy=None if lived is None else replayed_curve(curves.equity[lived]),
        benchmark=None if lived is None else replayed_curve(curves.benchmark[lived]),
        holdings=None if known is None else replayed_holdings(panel, weights, known),
    )
