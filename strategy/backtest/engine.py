"""The backtest engine: exact accounting in shares and cash, event by event.

A session t runs in this order:

1. before the open: splits multiply the shares held, dividends (per share after the split) are credited to cash, or buy
   shares of the payer; a short pays them;
2. fill: the weights decided at the close of t-1 are traded at the open of t (or at its close); an asset without a
   price is not traded, and a held one keeps its last known value. Without a decision, what the volume cap left of the
   last one is traded on, or holdings are cut because the close of t-1 fell short of the margin;
3. close: a holding without a close for `delist_after` sessions is sold at its last price; the portfolio is valued at
   the last known closes;
4. overnight: interest accrues on free cash, and loan fees on what is sold short.

Between events neither shares nor cash change but by a night's interest and fees, so whole segments are valued by one
product. Fills that nothing stands in the way of are sized together: see `strategy.backtest.stretches`.
"""

from __future__ import annotations

import numpy as np

from strategy.backtest.costs import CostModel
from strategy.backtest.liquidity import refuse_short_history, refuse_unknown_volumes
from strategy.backtest.plan import Plan, has_stretches
from strategy.backtest.portfolio import Portfolio
from strategy.backtest.simulation import Decisions, Simulation
from strategy.backtest.spec import Execution
from strategy.backtest.valuation import delistings
from strategy.errors import ExecutionError
from strategy.panel import PricePanel


def simulate(
    panel: PricePanel,
    decisions: Decisions,
    *,
    costs: CostModel,
    execution: Execution,
    first_row: int,
    last_row: int,
) -> Simulation:
    """Trade the decisions from `first_row` (all cash) to `last_row`, both included.

    Raises
    ------
    ExecutionError
        If orders are to fill at an open that no asset has, a decision needs more than the initial margin, costs exceed
        the portfolio's value, or losses do.
    """
    if not 0 <= first_row < last_row < panel.n_dates:
        raise ExecutionError(
            "last_row", last_row, f"needs two sessions or more between {first_row} and {panel.n_dates}"
        )
    _refuse_missing_opens(panel, decisions, execution)
    _refuse_missing_margin(panel, decisions, execution)
    refuse_short_history(panel, decisions, costs)
    refuse_unknown_volumes(panel, decisions, execution)
    delisted = delistings(panel, execution.delist_after)
    plan = None
    if has_stretches(decisions, execution):
        plan = Plan(panel, decisions, costs=costs, execution=execution, last_row=last_row, delisted=delisted)
    portfolio = Portfolio(panel, costs, execution, first_row=first_row, last_row=last_row, delisted=delisted)
    decided = {int(row) + 1: number for number, row in enumerate(decisions.rows) if first_row <= row < last_row}
    events = portfolio.event_rows(decided)
    while not portfolio.is_done:
        if plan is not None and portfolio.cross(plan):
            continue
        # A margin call or what is left of an order may have to be seen to before the next event.
        row = portfolio.hold_until(portfolio.next_event(events))
        number = decided.get(row)
        if number is not None:
            portfolio.trade_session(row, int(decisions.rows[number]), decisions.weights[number])
        elif row <= last_row:
            portfolio.trade_session(row)
    return portfolio.result()


def _refuse_missing_opens(panel: PricePanel, decisions: Decisions, execution: Execution) -> None:
    if execution.fill != "next_open":
        return
    weighted = (decisions.weights != 0).any(axis=0)
    if weighted.any() and not np.isfinite(panel.field("open")[:, weighted]).any():
        raise ExecutionError("fill", "next_open", "the universe has no open prices; use fill=next_close")


def _refuse_missing_margin(panel: PricePanel, decisions: Decisions, execution: Execution) -> None:
    if not decisions.allow_short:
        return
    gross = np.abs(decisions.weights).sum(axis=1)
    most = 1 / execution.initial_margin
    over = np.flatnonzero(gross > most + 1e-9)
    if over.size:
        session = panel.sessions[decisions.rows[over[0]]]
        reason = (
            f"is the gross weight decided on {session}, above 1 / initial_margin = {most:g}: scale the weights down"
        )
        raise ExecutionError("weights", round(float(gross[over[0]]), 6), reason)
