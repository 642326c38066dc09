"""What a night costs and earns: interest on cash, the loan fee of what is sold short, and the margin it needs.

Proceeds of short sales lie with the lender, marked to market: they earn no interest. Free cash, which is cash less the
value sold short, earns the cash rate (and pays it where it is negative).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strategy.panel import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Nights:
    """Arrays of shape (n_nights,), base currency: cash after each night, interest and loan fees of each."""

    cash: FloatArray
    interest: FloatArray
    borrow_costs: FloatArray


def nightly_rate(annual: float, sessions_per_year: int) -> float:
    """Rate of one night that compounds to `annual` over a year's sessions, fraction."""
    return float((1 + annual) ** (1 / sessions_per_year) - 1)


def nights(cash: float, short_values: FloatArray | None, *, rate: float, borrow_rate: float, n_nights: int) -> Nights:
    """Cash through nights in which nothing is traded.

    Parameters
    ----------
    cash : float
        At the close before the first night.
    short_values : ndarray of shape (n_nights,) or None
        Value sold short at the close before each night, >= 0; None: nothing is.
    rate, borrow_rate : float
        Of one night, fractions of free cash and of the value sold short.
    n_nights : int

    Returns
    -------
    Nights
    """
    if short_values is None:
        after: FloatArray = np.full(n_nights, cash)
        if rate:
            after *= (1 + rate) ** np.arange(1, n_nights + 1)
        return Nights(cash=after, interest=np.diff(after, prepend=cash), borrow_costs=np.zeros(n_nights))
    after, fees = np.empty(n_nights), borrow_rate * short_values
    before = cash
    # A recurrence: the interest of a night is on cash that holds the fees of the nights before it.
    for night, (short, fee) in enumerate(zip(short_values.tolist(), fees.tolist(), strict=True)):
        before += (before - short) * rate - fee
        after[night] = before
    return Nights(cash=after, interest=np.diff(after, prepend=cash) + fees, borrow_costs=fees)


def first_shortfall(equity: FloatArray, gross: FloatArray, maintenance_margin: float) -> int | None:
    """First session whose equity is below `maintenance_margin` of the gross value held; None: there is none."""
    short = np.flatnonzero(equity < maintenance_margin * gross)
    return int(short[0]) if short.size else None
