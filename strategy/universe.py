"""Universes and their dated membership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from strategy.errors import MembershipError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One stay of a ticker in a universe, both ends included; `end_date` None means: still in it."""

    ticker: str
    start_date: dt.date
    end_date: dt.date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """From `date` on a ticker belongs to a universe (`joins`), or no longer does: its last day was the one before."""

    ticker: str
    date: dt.date
    joins: bool

    @property
    def member_day(self) -> dt.date:
        """The day on which it is a member: the first one, or the last."""
        return self.date if self.joins else self.date - _DAY


#: Start of a stay that nobody dated. A portfolio can hold a ticker from its first bar on in any case.
SINCE_EVER = dt.date(1900, 1, 1)
_DAY = dt.timedelta(days=1)


def members_on(stays: Sequence[Membership], date: dt.date) -> list[Membership]:
    """The stays that cover a date."""
    return [stay for stay in stays if stay.start_date <= date and (stay.end_date is None or date <= stay.end_date)]


def overlaps(stays: Sequence[Membership]) -> list[tuple[Membership, Membership]]:
    """Pairs of stays of one ticker that cover a common date, the earlier first."""
    ordered = sorted(stays, key=lambda stay: (stay.ticker, stay.start_date))
    return [
        (before, stay)
        for _, of_ticker in groupby(ordered, key=lambda stay: stay.ticker)
        for before, stay in pairwise(of_ticker)
        if before.end_date is None or before.end_date >= stay.start_date
    ]


def changed_stays(stays: Sequence[Membership], changes: Sequence[MemberChange]) -> list[Membership]:
    """The stays after some changes, in order of date; on one date tickers leave before others join.

    A change that is known already does nothing, so that a list may be applied again. A ticker that leaves on the day
    it joined was never in.

    Raises
    ------
    MembershipError
        If a ticker joins that is in, or leaves that is not; it names each.
    """
    by_ticker: dict[str, list[Membership]] = {}
    for stay in sorted(stays, key=lambda stay: stay.start_date):
        by_ticker.setdefault(stay.ticker, []).append(stay)
    problems = []
    for change in sorted(changes, key=lambda change: (change.date, change.joins, change.ticker)):
        known = by_ticker.setdefault(change.ticker, [])
        problem = _join(known, change) if change.joins else _leave(known, change)
        if problem:
            problems.append(f"{change.ticker} on {change.date}: {problem}")
    if problems:
        raise MembershipError(problems)
    return [stay for _, known in sorted(by_ticker.items()) for stay in known]


def _join(known: list[Membership], change: MemberChange) -> str | None:
    """Add a stay to those of a ticker; says why not."""
    if any(stay.start_date == change.date for stay in known):
        return None
    later = [stay for stay in known if stay.end_date is None or stay.end_date >= change.date]
    if later:
        until = f"to {later[0].end_date}" if later[0].end_date else "on"
        return f"cannot join, it is a member from {later[0].start_date} {until}"
    known.append(Membership(ticker=change.ticker, start_date=change.date, end_date=None))
    return None


def _leave(known: list[Membership], change: MemberChange) -> str | None:
    """End the open stay of a ticker; says why not."""
    last = change.date - _DAY
    if any(stay.end_date == last for stay in known):
        return None
    stay = known[-1] if known else None
    if stay is None or stay.end_date is not None or stay.start_date > change.date:
        return "cannot leave, it is no member then"
    known.remove(stay)
    if stay.start_date <= last:
        known.append(replace(stay, end_date=last))
    return None


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
