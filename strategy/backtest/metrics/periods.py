"""Returns by calendar month and year."""

from __future__ import annotations

from typing import Literal

import numpy as np

from strategy.panel import DateArray, FloatArray


def period_returns(
    equity: FloatArray, sessions: DateArray, unit: Literal["month", "year"]
) -> tuple[DateArray, FloatArray]:
    """Return of each calendar period, from the last value before it to its own last value.

    The first period begins at the curve's own first value, so that first and last may be parts of one. A first period
    of a single session has no return, and is left out.

    Returns
    -------
    periods : ndarray of shape (n_periods,), datetime64[M] or datetime64[Y]
    returns : ndarray of shape (n_periods,)
        Simple returns, fractions.
    """
    periods = sessions.astype("datetime64[M]" if unit == "month" else "datetime64[Y]")
    is_last = np.append(periods[1:] != periods[:-1], True)
    ends = np.flatnonzero(is_last)
    ends = ends[ends > 0]
    values = equity[ends]
    bases = np.concatenate((equity[:1], values[:-1]))
    return periods[ends], values / bases - 1
