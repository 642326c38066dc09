"""What the market of an asset bears, as known before a fill: its mean volume and its volatility."""

from __future__ import annotations

import numpy as np

from strategy.backtest.costs import CostModel, OrderConditions
from strategy.backtest.simulation import Decisions
from strategy.backtest.spec import Execution
from strategy.errors import ExecutionError
from strategy.panel import FloatArray, PricePanel

#: Sessions before that of a fill from which volume and volatility are taken: four weeks.
LOOKBACK = 20


def mean_volume(panel: PricePanel, row: int, *, lookback: int = LOOKBACK) -> FloatArray:
    """Mean volume of the sessions before `row`, in shares as they are counted on `row`.

    Parameters
    ----------
    panel : PricePanel
        With the field "volume".
    row : int
        Session of the fill; neither it nor any later one is looked at, but for the splits at its open.
    lookback : int
        Sessions, at most.

    Returns
    -------
    ndarray of shape (n_assets,)
        Shares a session; NaN where no session has a bar or nothing was traded. Sessions without a bar do not count.

    Raises
    ------
    MissingFieldError
        If the panel was loaded without volumes.
    """
    first = max(row - lookback, 0)
    volumes = panel.field("volume")[first:row] * _later_splits(panel, first, row)
    there = np.isfinite(volumes)
    total, n_bars = np.where(there, volumes, 0.0).sum(axis=0), there.sum(axis=0)
    mean = np.full(panel.n_assets, np.nan)
    np.divide(total, n_bars, out=mean, where=total > 0)
    return mean


def volatility(panel: PricePanel, row: int, *, lookback: int = LOOKBACK) -> FloatArray:
    """Standard deviation of the total returns of the sessions before `row`, in the currency of the quotes.

    Parameters
    ----------
    panel, row, lookback
        As for `mean_volume`.

    Returns
    -------
    ndarray of shape (n_assets,)
        Fraction a session, with n - 1 degrees of freedom; NaN where fewer than two returns are known.
    """
    first = max(row - lookback - 1, 0)
    prices = panel.prices[first:row]
    if panel.conversion is not None:
        prices = prices / panel.conversion.rates[first:row]
    returns = prices[1:] / prices[:-1] - 1
    there = np.isfinite(returns)
    n_returns = there.sum(axis=0)
    mean = np.where(there, returns, 0.0).sum(axis=0) / np.maximum(n_returns, 1)
    squares = (np.where(there, returns - mean, 0.0) ** 2).sum(axis=0)
    found = np.full(panel.n_assets, np.nan)
    np.divide(squares, n_returns - 1, out=found, where=n_returns > 1)
    deviation: FloatArray = np.sqrt(found)
    return deviation


def order_conditions(panel: PricePanel, costs: CostModel, row: int) -> OrderConditions | None:
    """What the costs of the orders of a fill depend on beside their size and price; None: nothing.

    Raises
    ------
    MissingFieldError
        If orders have an impact, and the panel was loaded without volumes.
    """
    conversion = panel.conversion
    if not costs.impact and conversion is None:
        return None
    return OrderConditions(
        mean_volume=mean_volume(panel, row) if costs.impact else None,
        volatility=volatility(panel, row) if costs.impact else None,
        rates=None if conversion is None else conversion.rates[row],
        is_foreign=None if conversion is None else conversion.is_foreign,
    )


def refuse_short_history(panel: PricePanel, decisions: Decisions, costs: CostModel) -> None:
    """`ExecutionError` when orders have an impact, and fill before volumes are known, or where none ever is."""
    weighted = decisions.weights != 0
    if not costs.impact or not weighted.any():
        return
    if decisions.rows[weighted.any(axis=1)][0] + 1 < LOOKBACK:
        start = panel.sessions[min(LOOKBACK, panel.n_dates) - 1]
        reason = f"needs {LOOKBACK} sessions before a fill; start on {start} or later, or set impact to 0"
        raise ExecutionError("costs.impact", costs.impact, reason)
    if not (panel.field("volume")[:, weighted.any(axis=0)] > 0).any():
        reason = "needs volumes, and the universe has none; ingest it from a source that has, or set impact to 0"
        raise ExecutionError("costs.impact", costs.impact, reason)


def refuse_unknown_volumes(panel: PricePanel, decisions: Decisions, execution: Execution) -> None:
    """`ExecutionError` when fills are capped by volume, and no asset to be traded ever has one."""
    weighted = (decisions.weights != 0).any(axis=0)
    if execution.volume_cap is None or not weighted.any():
        return
    if not (panel.field("volume")[:, weighted] > 0).any():
        reason = "needs volumes, and the universe has none; ingest it from a source that has, or set volume_cap to null"
        raise ExecutionError("volume_cap", execution.volume_cap, reason)


def _later_splits(panel: PricePanel, first: int, row: int) -> FloatArray | float:
    """Shares on `row` for one share on each session from `first` to before it."""
    actions = panel.actions
    inside = np.flatnonzero((actions.rows > first) & (actions.rows <= row) & (actions.split_ratios != 1))
    if inside.size == 0:
        return 1.0
    factors = np.ones((row - first, panel.n_assets))
    for number in inside:
        factors[: actions.rows[number] - first, actions.columns[number]] *= actions.split_ratios[number]
    return factors
