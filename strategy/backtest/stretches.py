"""Crossing a stretch: all its fills are sized at once, and all its sessions valued.

Where everything can be traded, in fractions, and nothing is sold short, a portfolio is one number a fill: the value
``I[k]`` that the weights divide among the assets, once the costs are paid. Let ``G[k]`` be what one unit of
``I[k - 1]`` has become at fill k by prices, splits, dividends and interest, and ``c[k]`` the costs of its trades as a
fraction of ``I[k]``; then

    I[k] * (1 + c[k]) = I[k - 1] * G[k],

so that for given ``c`` every ``I`` is a term of one cumulative product. The trades follow from ``I``, their costs from
the trades, and ``c`` from the costs; they are put in until they no longer change. Costs that are proportional to the
traded value depend on ratios of neighbours alone, so that an error at one fill is not carried to the next: the steps
contract by about the cost rate.

Shares, cash and orders are then written down as session by session: see `strategy.backtest.portfolio`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strategy.adjustments import CorporateActions
from strategy.backtest.account import NOISE, TINY
from strategy.backtest.costs import CostModel, OrderConditions, order_costs
from strategy.backtest.plan import Stretch
from strategy.backtest.simulation import Orders
from strategy.backtest.valuation import holdings_values
from strategy.panel import BoolArray, FloatArray, IntArray

_MAX_ITERATIONS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A portfolio at the close before a stretch: shares of shape (n_assets,), >= 0; cash and equity, base currency."""

    shares: FloatArray
    cash: float
    equity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What happened in a stretch; curves of shape (n_sessions,), the rest as in `Simulation`."""

    equity: FloatArray
    cash: FloatArray
    event_rows: IntArray
    event_shares: FloatArray
    orders: Orders
    dividends: float
    interest: float


def cross(
    stretch: Stretch, start: Start, *, actions: CorporateActions, valuation: FloatArray, costs: CostModel, rate: float
) -> Crossing | None:
    """Trade and value a stretch.

    Parameters
    ----------
    stretch : Stretch
    start : Start
    actions : CorporateActions
        Of the panel.
    valuation : ndarray of shape (n_dates, n_assets)
        Last known closes.
    costs : CostModel
    rate : float
        Interest of one night on cash, fraction.

    Returns
    -------
    Crossing or None
        None where the costs cannot be found in this way: they exceed the portfolio, or jump between two tiers.
    """
    # Shares for one unit of I: those at the start, and those after each fill.
    units = np.zeros((len(stretch.fill_rows) + 1, start.shares.size))
    units[0] = start.shares / start.equity
    np.divide(stretch.weights, stretch.prices, out=units[1:], where=stretch.weights != 0)
    payments = _payments(stretch, actions, units)
    parts = _parts(stretch, units, payments)
    growth = _growth(stretch, start, parts, payments, rate)
    trades = _settled(parts, growth, start.equity, costs)
    if trades is None:
        return None
    n_sessions = stretch.stop - stretch.begin
    paid = payments.per_unit * trades.invested[payments.segments]
    spent = _sums(parts.fills, trades.shares * parts.prices + trades.costs, len(stretch.fill_rows))
    flows = _sums(payments.rows - stretch.begin, paid, n_sessions)
    flows[stretch.fill_rows - stretch.begin] -= spent
    cash = _accrued(start.cash, flows, rate)
    event_rows, event_shares = _events(stretch, start, payments, trades, _held(units[1:], parts, trades))
    return Crossing(
        equity=cash + _values(stretch, start, event_rows, event_shares, valuation),
        cash=cash,
        event_rows=event_rows,
        event_shares=event_shares,
        orders=_orders(stretch, parts, trades),
        dividends=float(paid.sum()),
        interest=float(cash[-1] - start.cash - flows.sum()) if rate else 0.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payments:
    """Splits and dividends of what is held, by row: arrays of shape (n_payments,).

    `segments` counts the fills before; `grown` is the shares that one share after the last fill has become, and
    `per_unit` the dividend for one unit of I.
    """

    rows: IntArray
    columns: IntArray
    segments: IntArray
    ratios: FloatArray
    grown: FloatArray
    per_unit: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What takes part in each fill, fill by fill: arrays of shape (n_parts,).

    `places` are those of a flat array of shape (n_fills, n_assets); `before` and `after` are shares for one unit of I
    before and after the fill `fills`, >= 0; the first unit is the equity at the start.
    """

    places: IntArray
    fills: IntArray
    columns: IntArray
    prices: FloatArray
    before: FloatArray
    after: FloatArray
    conditions: OrderConditions | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trades:
    """What is traded, and what is kept where nothing is: arrays of shape (n_parts,).

    `invested` is I, of shape (1 + n_fills,); `n_orders` counts the orders of each fill.
    """

    invested: FloatArray
    shares: FloatArray
    costs: FloatArray
    kept: FloatArray
    n_orders: FloatArray


def _payments(stretch: Stretch, actions: CorporateActions, units: FloatArray) -> _Payments:
    inside = slice(*np.searchsorted(actions.rows, (stretch.begin, stretch.stop)))
    rows, columns = actions.rows[inside], actions.columns[inside]
    segments = np.searchsorted(stretch.fill_rows, rows, side="left")
    held = np.flatnonzero(units[segments, columns])
    rows, columns, segments, ratios = rows[held], columns[held], segments[held], actions.split_ratios[inside][held]
    grown = np.ones(rows.size)
    for split in np.flatnonzero(ratios != 1):
        since = (segments == segments[split]) & (columns == columns[split]) & (rows >= rows[split])
        grown[since] *= ratios[split]
    per_unit = units[segments, columns] * grown * actions.dividends[inside][held]
    return _Payments(rows=rows, columns=columns, segments=segments, ratios=ratios, grown=grown, per_unit=per_unit)


def _parts(stretch: Stretch, units: FloatArray, payments: _Payments) -> _Parts:
    is_held, n_assets = units != 0, units.shape[1]
    places = np.flatnonzero(is_held[:-1] | is_held[1:])
    before = units[:-1].ravel()[places]
    for split in np.flatnonzero(payments.ratios != 1):
        if payments.segments[split] < len(stretch.fill_rows):
            place = payments.segments[split] * n_assets + payments.columns[split]
            before[np.searchsorted(places, place)] *= payments.ratios[split]
    fills, columns = np.divmod(places, n_assets)
    return _Parts(
        places=places,
        fills=fills,
        columns=columns,
        prices=stretch.prices.ravel()[places],
        before=before,
        after=units[1:].ravel()[places],
        conditions=None if stretch.conditions is None else stretch.conditions.of((fills, columns)),
    )


def _growth(stretch: Stretch, start: Start, parts: _Parts, payments: _Payments, rate: float) -> FloatArray:
    """What one unit of I has become at the next fill, shape (n_fills,)."""
    n_fills = len(stretch.fill_rows)
    in_cash = np.append(start.cash / start.equity, 1 - stretch.weights[:-1].sum(axis=1))[:n_fills]
    nights = np.diff(stretch.fill_rows, prepend=stretch.begin - 1)
    held = _sums(parts.fills, parts.before * parts.prices, n_fills)
    early = np.flatnonzero(payments.segments < n_fills)
    segments = payments.segments[early]
    left = (1 + rate) ** (stretch.fill_rows[segments] - payments.rows[early])
    paid = _sums(segments, payments.per_unit[early] * left, n_fills)
    growth: FloatArray = in_cash * (1 + rate) ** nights + held + paid
    return growth


def _settled(parts: _Parts, growth: FloatArray, equity: float, costs: CostModel) -> _Trades | None:
    """Trades whose costs are those that were set aside for them; None when there are none."""
    fractions, n_fills = np.zeros(growth.size), growth.size
    for _ in range(_MAX_ITERATIONS):
        invested = equity * np.concatenate(([1.0], np.cumprod(growth / (1 + fractions))))
        available = invested[:-1] * growth
        before = parts.before * invested[parts.fills]
        shares = parts.after * invested[1:][parts.fills]
        shares -= before
        is_order = np.abs(shares) * parts.prices > NOISE * available[parts.fills]
        shares *= is_order
        each = order_costs(costs, shares, parts.prices, parts.conditions)
        total = _sums(parts.fills, each, n_fills)
        if (np.abs(total - fractions * invested[1:]) <= TINY * available).all():
            n_orders = _sums(parts.fills, is_order, n_fills)
            return _Trades(invested=invested, shares=shares, costs=each, kept=before, n_orders=n_orders)
        if not (total < available).all():
            return None
        fractions = total / invested[1:]
    return None


def _accrued(cash: float, flows: FloatArray, rate: float) -> FloatArray:
    """Cash at each close, of what comes in (out: < 0) each session and the interest of the nights."""
    if not rate:
        return cash + np.cumsum(flows)
    grown = (1 + rate) ** np.arange(1, flows.size + 1)
    accrued: FloatArray = (cash + np.cumsum(flows / grown)) * grown
    return accrued


def _held(units: FloatArray, parts: _Parts, trades: _Trades) -> FloatArray:
    """Shares held after each fill, shape (n_fills, n_assets); written over `units`, which is not needed any more."""
    units *= trades.invested[1:, np.newaxis]
    kept = np.flatnonzero(trades.shares == 0)
    units.ravel()[parts.places[kept]] = trades.kept[kept]
    return units


def _events(
    stretch: Stretch, start: Start, payments: _Payments, trades: _Trades, held: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Rows after whose close other shares are held than before, and these."""
    has_traded = trades.n_orders > 0
    rows, shares = stretch.fill_rows[has_traded], held[has_traded]
    split_rows, split_shares = _splits(start, payments, held)
    if split_rows.size == 0:
        return rows, shares
    rows, shares = np.concatenate([split_rows, rows]), np.concatenate([split_shares, shares])
    # Of a split and a fill in one session the fill is the later: the last of equal rows counts.
    order = np.argsort(rows, kind="stable")
    order = order[np.append(np.diff(rows[order]) != 0, True)[: order.size]]
    return rows[order].astype(np.intp), shares[order]


def _splits(start: Start, payments: _Payments, held: FloatArray) -> tuple[IntArray, FloatArray]:
    """Rows at which shares are split, increasing, and what is held after each."""
    splits = np.flatnonzero(payments.ratios != 1)
    rows, last = np.unique(payments.rows[splits], return_index=True)
    found = np.empty((rows.size, start.shares.size))
    for number, (row, first) in enumerate(zip(rows, splits[last], strict=True)):
        segment = payments.segments[first]
        found[number] = held[segment - 1] if segment else start.shares
        so_far = splits[(payments.segments[splits] == segment) & (payments.rows[splits] <= row)]
        # The newest of a column holds the product of all.
        grown = dict(zip(payments.columns[so_far].tolist(), payments.grown[so_far].tolist(), strict=True))
        found[number, list(grown)] *= list(grown.values())
    return rows, found


def _values(
    stretch: Stretch, start: Start, event_rows: IntArray, event_shares: FloatArray, valuation: FloatArray
) -> FloatArray:
    """Value of the shares held at each close, shape (n_sessions,)."""
    values = np.empty(stretch.stop - stretch.begin)
    bounds = [stretch.begin, *event_rows.tolist(), stretch.stop]
    for begin, stop, shares in zip(bounds[:-1], bounds[1:], [start.shares, *event_shares], strict=True):
        holdings_values(valuation, begin, stop, shares, out=values[begin - stretch.begin : stop - stretch.begin])
    return values


def _orders(stretch: Stretch, parts: _Parts, trades: _Trades) -> Orders:
    traded = np.flatnonzero(trades.shares)
    fills = parts.fills[traded]
    return Orders(
        decision_rows=stretch.decision_rows[fills],
        fill_rows=stretch.fill_rows[fills],
        columns=parts.columns[traded],
        shares=trades.shares[traded],
        prices=parts.prices[traded],
        costs=trades.costs[traded],
        kinds=np.full(traded.size, "rebalance"),
    )


def _sums(groups: IntArray, values: FloatArray | BoolArray, n_groups: int) -> FloatArray:
    """Sum of the values of each group, 0 where it has none."""
    # Without any value numpy counts in whole numbers.
    return np.bincount(groups, values, n_groups).astype(np.float64, copy=False)
