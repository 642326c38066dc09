"""Universes and their dated membership."""

from __future__ import annotations

import datetime as dt
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
    sessions: NDArray[np.datetime64],
    n_assets: int,
    *,
    columns: NDArray[np.intp],
    start_dates: NDArray[np.datetime64],
    end_dates: NDArray[np.datetime64],
) -> NDArray[np.bool_]:
    """Whether each asset belongs to the universe on each session, shape (n_dates, n_assets).

    Parameters
    ----------
    sessions : ndarray of shape (n_dates,), datetime64[D]
        Increasing.
    n_assets : int
    columns : ndarray of shape (n_stays,)
        Asset of each stay, negative for one that is not asked for. An asset may leave and come back.
    start_dates, end_dates : ndarray of shape (n_stays,), datetime64[D]
        Both included; end NaT: still in it.
    """
    import numpy as np  # noqa: PLC0415  cold start: who only reads memberships needs no arrays

    asked = columns >= 0
    first = np.searchsorted(sessions, start_dates[asked])
    stop = np.searchsorted(sessions, end_dates[asked], side="right")  # NaT sorts behind every date
    # Between two days on which anybody comes or goes, every session has the same members.
    bounds = np.unique(np.concatenate(([0, sessions.size], first, stop)))
    change = np.zeros((bounds.size, n_assets), dtype=np.int32)
    np.add.at(change, (np.searchsorted(bounds, first), columns[asked]), 1)
    np.add.at(change, (np.searchsorted(bounds, stop), columns[asked]), -1)
    is_member = np.cumsum(change, axis=0)[:-1] > 0
    return np.repeat(is_member, np.diff(bounds), axis=0)
