"""Sessions on which a portfolio may be changed, and how many make a year."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strategy.schedule import Rebalance

_DAYS_PER_YEAR = 365.25


def decision_rows(sessions: NDArray[np.datetime64], frequency: Rebalance) -> NDArray[np.intp]:
    """Rows at whose close a decision is taken: the first session, then the last session of every full period.

    The last session is never one: whether its period is over is not known yet, and nothing could be filled after it.

    Parameters
    ----------
    sessions : ndarray of shape (n_dates,), datetime64[D]
        Strictly increasing.
    frequency : {"once", "daily", "weekly", "monthly", "quarterly", "yearly"}
        Weeks begin on Monday.

    Returns
    -------
    ndarray of intp, increasing
        Empty with fewer than two sessions.
    """
    if sessions.size < 2:  # noqa: PLR2004  a decision and a session to fill it
        return np.empty(0, dtype=np.intp)
    if frequency == "once":
        return np.zeros(1, dtype=np.intp)
    period = _period_numbers(sessions, frequency)
    ends = np.flatnonzero(period[1:] != period[:-1])
    return np.union1d([0], ends).astype(np.intp)


def periods_per_year(sessions: NDArray[np.datetime64]) -> int:
    """Sessions in a year, by which session figures are annualised: about 252 for an exchange, 365 for crypto.

    Counted on the sessions themselves, since a snapshot holds those of its universe's calendar and a result may depend
    on nothing outside it. Less than a year of them says too little: then 365 where there is a weekend, or else 252.

    Parameters
    ----------
    sessions : ndarray of shape (n_dates,), datetime64[D]
        Strictly increasing, all that are known and not only those of the backtest.
    """
    days = int((sessions[-1] - sessions[0]) / np.timedelta64(1, "D")) if sessions.size else 0
    if days >= _DAYS_PER_YEAR:
        return round((sessions.size - 1) / days * _DAYS_PER_YEAR)
    return 252 if np.is_busday(sessions).all() else 365


def _period_numbers(sessions: NDArray[np.datetime64], frequency: Rebalance) -> NDArray[np.int64]:
    days = sessions.astype("datetime64[D]").astype(np.int64)
    months = sessions.astype("datetime64[M]").astype(np.int64)
    # 1970-01-01 was a Thursday: three days later a week begins.
    numbers: dict[Rebalance, NDArray[np.int64]] = {
        "daily": days,
        "weekly": (days + 3) // 7,
        "monthly": months,
        "quarterly": months // 3,
        "yearly": months // 12,
    }
    return numbers[frequency]
