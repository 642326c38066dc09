"""Sessions on which a portfolio may be changed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strategy.schedule import Rebalance


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
