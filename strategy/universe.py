"""Universes and their dated membership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One stay of a ticker in a universe, both ends included; `end_date` None means: still in it."""

    ticker: str
    start_date: dt.date
    end_date: dt.date | None


def member_matrix(
    sessions: NDArray[np.datetime64], tickers: Sequence[str], memberships: Sequence[Membership]
) -> NDArray[np.bool_]:
    """Whether each asset belongs to the universe on each session, shape (n_dates, n_assets).

    A ticker may leave and come back: each stay is one membership. Stays of tickers that are not asked for are ignored.
    """
    import numpy as np  # noqa: PLC0415  cold start: who only reads memberships needs no arrays

    columns = {ticker: column for column, ticker in enumerate(tickers)}
    member = np.zeros((sessions.size, len(tickers)), dtype=np.bool_)
    for stay in memberships:
        column = columns.get(stay.ticker)
        if column is None:
            continue
        first = np.searchsorted(sessions, np.datetime64(stay.start_date, "D"), side="left")
        stop = sessions.size
        if stay.end_date is not None:
            stop = int(np.searchsorted(sessions, np.datetime64(stay.end_date, "D"), side="right"))
        member[first:stop, column] = True
    return member
