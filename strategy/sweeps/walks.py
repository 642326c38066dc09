"""Walk forward through the trials of a sweep: the best of each training span, judged on the sessions after it.

1. In each step the trial with the highest Sharpe ratio over the training sessions is chosen.
2. Its returns on the test sessions follow those of the step before.
3. Entering the first test, and changing from one trial's holdings to another's, is charged: at the close of the session
   before the test, what the chosen trial then holds is taken over, scaled to the equity of the walk. The difference to
   what is held is traded at that close's prices, and costs what the cost model says, impact and currency margin
   included. It lowers the test's first return.

What is charged is the whole difference, although the chosen trial may trade on the next session anyway, which its own
returns pay for: such a session is charged twice. Whole shares, least orders, the volume cap and the turnover limit of
the execution are not applied to the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from strategy.backtest.costs import CostModel, order_costs
from strategy.backtest.liquidity import order_conditions
from strategy.backtest.simulation import Simulation
from strategy.backtest.valuation import valuation_prices
from strategy.panel import FloatArray, IntArray, PricePanel
from strategy.sweeps.ratios import sharpe_ratios
from strategy.sweeps.spec import WalkForward
from strategy.validation.splits import walk_forward

#: Shares held for one unit of equity, shape (n_assets,), of a trial at the close of a session of the backtest.
Held: TypeAlias = Mapping[tuple[int, int], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One step: rows of the returns, the trial chosen, its ratios a session in and out of sample, and the change to it.

    `turnover` is half of what entering the test trades, `cost` what that costs, as fractions of equity; 0 before they
    are charged, and where nothing changes.
    """

    train: tuple[int, int]
    test: tuple[int, int]
    chosen: int
    train_sharpe: float
    test_sharpe: float
    turnover: float = 0.0
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The folds, and the out-of-sample returns of what was chosen, one after the other."""

    folds: tuple[Fold, ...]
    returns: FloatArray


def walked(returns: FloatArray, walk: WalkForward) -> Walk:
    """Choose the best of each training span, and chain what it returned on the test span after it, changes for free.

    Raises
    ------
    InsufficientHistoryError
        If there are too few sessions.
    """
    splits = walk_forward(
        returns.shape[0], n_train=walk.n_train, n_test=walk.n_test, purge=walk.purge, is_anchored=walk.is_anchored
    )
    folds = tuple(_fold(returns, split.train, split.test) for split in splits)
    chained = [returns[fold.test[0] : fold.test[1] + 1, fold.chosen] for fold in folds]
    return Walk(folds=folds, returns=np.concatenate(chained))


def sessions_needed(walk: Walk) -> dict[int, list[int]]:
    """Of each trial that is chosen the sessions of the backtest on which holdings are changed to or from it, in order.

    Return k is that of session k + 1, so that a test whose first return is k is entered at the close of session k.
    """
    needed: dict[int, set[int]] = {}
    for number, fold in enumerate(walk.folds):
        needed.setdefault(fold.chosen, set()).add(fold.test[0])
        if number:
            needed[walk.folds[number - 1].chosen].add(fold.test[0])
    return {trial: sorted(sessions) for trial, sessions in needed.items()}


def held_per_equity(simulation: Simulation, session: int) -> FloatArray:
    """Shares for one unit of equity at the close of a session of the backtest, shape (n_assets,)."""
    shares: FloatArray = simulation.shares_on(int(simulation.rows[session])) / simulation.equity[session]
    return shares


def charged(
    walk: Walk, held: Held, panel: PricePanel, costs: CostModel, *, first_row: int, initial_cash: float
) -> Walk:
    """The walk with every change of holdings charged; see the module.

    Parameters
    ----------
    walk : Walk
        As `walked` gives it.
    held : mapping
        By trial and session, as `sessions_needed` lists them.
    panel, costs, initial_cash
        Of the trials; the cash, in base currency, is what the walk begins with.
    first_row : int
        Panel row of the first session of the backtest.
    """
    equity, begin = initial_cash, 0
    before = np.zeros(panel.n_assets)
    folds, parts = [], []
    for fold, following in zip(walk.folds, (*walk.folds[1:], None), strict=True):
        entered = held[fold.chosen, fold.test[0]]
        traded, cost = _change((entered - before) * equity, panel, costs, first_row + fold.test[0])
        share = min(cost / equity, 1.0) if equity > 0 else 0.0
        part = walk.returns[begin : begin + fold.test[1] + 1 - fold.test[0]].copy()
        part[0] = (1 + part[0]) * (1 - share) - 1
        ratio = float(sharpe_ratios(part[:, np.newaxis])[0])
        turnover = traded / 2 / equity if equity > 0 else 0.0
        folds.append(replace(fold, test_sharpe=ratio, turnover=turnover, cost=share))
        parts.append(part)
        begin, equity = begin + part.size, equity * float(np.prod(1 + part))
        if following is not None:
            before = held[fold.chosen, following.test[0]]
    return Walk(folds=tuple(folds), returns=np.concatenate(parts))


def _change(shares: FloatArray, panel: PricePanel, costs: CostModel, row: int) -> tuple[float, float]:
    """Value and costs of orders at the close of a panel row, base currency."""
    columns = np.flatnonzero(shares)
    shares, prices = shares[columns], valuation_prices(panel)[row, columns]
    conditions = order_conditions(panel, costs, row)
    if conditions is None:
        found = order_costs(costs, shares, prices)
    else:
        conditions = conditions.of(columns)
        # Where volumes are not known the impact is not either: the rest of the costs is.
        without = order_costs(costs.replaced(impact=0.0), shares, prices, conditions)
        found = np.where(conditions.is_known, order_costs(costs, shares, prices, conditions), without)
    return float((np.abs(shares) * prices).sum()), float(found.sum())


def _fold(returns: FloatArray, train: IntArray, test: IntArray) -> Fold:
    fitted = sharpe_ratios(returns[train])
    # Where nothing varied there is nothing to choose by: the first trial, as good as any.
    chosen = 0 if np.isnan(fitted).all() else int(np.nanargmax(fitted))
    return Fold(
        train=(int(train[0]), int(train[-1])),
        test=(int(test[0]), int(test[-1])),
        chosen=chosen,
        train_sharpe=float(fitted[chosen]),
        test_sharpe=float(sharpe_ratios(returns[test][:, [chosen]])[0]),
    )
