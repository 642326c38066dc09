"""How much of a result hangs on names that died, and what it would be had the missing ones died badly.

1. Delisted names: held names whose closes end `delist_after` sessions or more before the panel does. Their share of
   capital-time (value held, summed over sessions) and of profit (orders, costs, dividends and what is held at the end).
2. Missing members by date: `strategy.validation.absence`.
3. Scenarios: the result when names that vanish lose 30 %, or everything. -30 % is the mean return at which stocks that
   were delisted for performance last traded [1]_; -100 % is the bound.

   - Delisted holdings: the same decisions are simulated again, sold at that loss on the last price.
   - Missing members: the invested part of the portfolio holds them in proportion to their share of the members,
     each at one part in the number of members, instead of what it holds; each is written down by that loss in equal
     steps over its absence. With the missing share s and the invested share x of the session before, and d the
     write-down of `Absence.written_down`, a return r becomes ``(1 - s) * r + x * loss * d``.

A rule that does not choose among the members (named tickers) is treated as if it did, and a name that was taken over at
a profit as if it had failed: scenarios are on the side of caution.

References
----------
.. [1] Shumway, T. (1997). "The Delisting Bias in CRSP Data". J. Finance 52(1), 327-340.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from strategy.adjustments import CorporateActions
from strategy.backtest.metrics import cagr, session_returns, total_return
from strategy.backtest.run import BacktestResult, simulated
from strategy.backtest.simulation import Simulation
from strategy.backtest.spec import BacktestSpec
from strategy.backtest.valuation import valuation_prices
from strategy.panel import FloatArray, IntArray, PricePanel
from strategy.universe import Membership
from strategy.validation.absence import MOST_NAMES, Absence, MissingMembers, absence

#: Returns on the last price at which what vanished is written down: Shumway's mean, and the bound.
LOSSES = (-0.3, -1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DelistedNames:
    """Held names that were later delisted.

    Shares are fractions, None where nothing was held or earned; `profit` is in base currency. `names` are at most
    `MOST_NAMES` of the `n_names`, those held longest and largest first.
    """

    n_names: int
    names: tuple[str, ...]
    capital_share: float | None
    profit: float
    profit_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LossScenario:
    """The result had every vanished name returned `loss`; `cagr_gap` is the growth a year that this costs."""

    loss: float
    final_equity: float
    total_return: float
    cagr: float | None
    cagr_gap: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivorshipAudit:
    """What survivorship does to a result."""

    delisted: DelistedNames
    missing: MissingMembers
    scenarios: tuple[LossScenario, ...]


def survivorship_audit(
    panel: PricePanel, spec: BacktestSpec, result: BacktestResult, stays: Sequence[Membership]
) -> SurvivorshipAudit:
    """Audit a result.

    Parameters
    ----------
    panel : PricePanel
        The panel that the spec was run on.
    spec, result
        The spec and what it computed.
    stays : sequence of Membership
        Every stay in the universe, of names that the panel lacks as well.
    """
    simulation = result.simulation
    absent = absence(panel, simulation.rows, stays, grace=spec.execution.delist_after)
    return SurvivorshipAudit(
        delisted=_delisted(panel, simulation, spec.execution.delist_after),
        missing=absent.summary(),
        scenarios=tuple(_scenario(panel, spec, result, absent, loss) for loss in LOSSES),
    )


def _delisted(panel: PricePanel, simulation: Simulation, delist_after: int) -> DelistedNames:
    columns = _gone(panel, simulation, delist_after)
    values = _held_values(panel, simulation, columns)
    capital = np.abs(values).sum(axis=0)
    profits = _profits(panel, simulation, columns, values[-1])
    whole_capital, whole_profit = _capital(panel, simulation), float(simulation.equity[-1] - simulation.equity[0])
    longest = columns[np.argsort(-capital, kind="stable")[:MOST_NAMES]]
    return DelistedNames(
        n_names=columns.size,
        names=tuple(panel.tickers[column] for column in longest),
        capital_share=float(capital.sum()) / whole_capital if whole_capital > 0 else None,
        profit=float(profits.sum()),
        profit_share=float(profits.sum()) / whole_profit if whole_profit != 0 else None,
    )


def _gone(panel: PricePanel, simulation: Simulation, delist_after: int) -> IntArray:
    """Columns of names that were held, and whose closes end before the last session of the simulation."""
    held = np.flatnonzero((simulation.event_shares != 0).any(axis=0))
    last_row = int(simulation.rows[-1])
    tail = panel.close_prices[last_row - delist_after + 1 : last_row + 1, held]
    return held[~np.isfinite(tail).any(axis=0)]


def _held_values(panel: PricePanel, simulation: Simulation, columns: IntArray) -> FloatArray:
    """Value of each name at each close, shape (n, n_columns), 0 where it is not held."""
    event = np.searchsorted(simulation.event_rows, simulation.rows, side="right")
    shares = np.concatenate([np.zeros((1, columns.size)), simulation.event_shares[:, columns]])[event]
    prices = valuation_prices(_part(panel, columns))[simulation.rows]
    return np.where(shares != 0, shares * prices, 0.0)


def _part(panel: PricePanel, columns: IntArray) -> PricePanel:
    """Closes and actions of some assets."""
    actions = panel.actions
    is_chosen = np.isin(actions.columns, columns)
    return PricePanel(
        sessions=panel.sessions,
        tickers=tuple(panel.tickers[column] for column in columns),
        fields={"close": panel.close_prices[:, columns]},
        actions=CorporateActions(
            rows=actions.rows[is_chosen],
            columns=np.searchsorted(columns, actions.columns[is_chosen]),
            split_ratios=actions.split_ratios[is_chosen],
            dividends=actions.dividends[is_chosen],
        ),
        member=panel.member[:, columns],
        has_checked_values=True,
    )


def _capital(panel: PricePanel, simulation: Simulation) -> float:
    """Value held, summed over sessions; of short positions their size."""
    if (simulation.event_shares >= 0).all():
        return float((simulation.equity - simulation.cash).sum())
    held = np.flatnonzero((simulation.event_shares != 0).any(axis=0))
    return float(np.abs(_held_values(panel, simulation, held)).sum())


def _profits(panel: PricePanel, simulation: Simulation, columns: IntArray, final: FloatArray) -> FloatArray:
    """Profit of each name after costs, dividends included, base currency."""
    profits = np.zeros(panel.n_assets)
    orders = simulation.orders
    np.add.at(profits, orders.columns, -orders.shares * orders.prices - orders.costs)
    actions = panel.actions
    is_paid = (actions.dividends > 0) & np.isin(actions.columns, columns)
    for number in np.flatnonzero(is_paid):
        row, column = int(actions.rows[number]), int(actions.columns[number])
        if simulation.rows[0] < row <= simulation.rows[-1]:
            shares = simulation.shares_on(row - 1)[column] * actions.split_ratios[number]
            profits[column] += shares * actions.dividends[number]
    return profits[columns] + final


def _scenario(
    panel: PricePanel, spec: BacktestSpec, result: BacktestResult, absent: Absence, loss: float
) -> LossScenario:
    sessions = panel.sessions[result.simulation.rows]
    equity = _with_absence(_with_delistings(panel, spec, result, loss), absent, loss)
    growth, base = cagr(equity, sessions), cagr(result.simulation.equity, sessions)
    is_known = bool(np.isfinite(growth) and np.isfinite(base))
    return LossScenario(
        loss=loss,
        final_equity=float(equity[-1]),
        total_return=total_return(equity),
        cagr=growth if is_known else None,
        cagr_gap=base - growth if is_known else None,
    )


def _with_delistings(panel: PricePanel, spec: BacktestSpec, result: BacktestResult, loss: float) -> Simulation:
    """The same decisions with a worse price for what was delisted; the same simulation where nothing was."""
    worse = min(spec.execution.delisting_return, loss)
    if result.simulation.n_delisted == 0 or worse == spec.execution.delisting_return:
        return result.simulation
    execution = replace(spec.execution, delisting_return=worse)
    return simulated(panel, result.decisions, replace(spec, execution=execution), int(result.simulation.rows[-1]))


def _with_absence(simulation: Simulation, absent: Absence, loss: float) -> FloatArray:
    """Equity had the missing members been held in proportion, and written down by `loss` over their absence."""
    if not absent.names:
        return simulation.equity
    invested = 1 - simulation.cash / simulation.equity
    replaced, lost = absent.share[:-1], absent.written_down[:-1] * invested[:-1] * loss
    returns = (1 - replaced) * session_returns(simulation.equity) + lost
    growth = np.concatenate([[1.0], np.cumprod(np.maximum(1 + returns, 0.0))])
    equity: FloatArray = simulation.equity[0] * growth
    return equity
