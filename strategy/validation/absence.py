"""Members of a universe that the panel does not have, by date.

A dated member is missing on a session when it has no bar at all, before its first bar, or from `grace` sessions after
its last one. A shorter hole is a gap and not an absence. Stays that nobody dated say who is a member today, and so
nothing about who was missing: they are counted, and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from strategy.panel import BoolArray, DateArray, FloatArray, IntArray, PricePanel
from strategy.universe import SINCE_EVER, Membership, member_matrix

#: Names that an audit lists; it counts the others.
MOST_NAMES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class YearOfMembers:
    """Dated members and those of them that are missing, means over the sessions of a year."""

    year: int
    members: float
    missing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingMember:
    """A member that the panel lacks: on how many sessions, the first and the last of them (ISO dates)."""

    ticker: str
    n_sessions: int
    first: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingMembers:
    """What of a universe the panel lacks.

    `share` is the mean over the sessions of missing over dated members, None where no member is dated; `names` are
    those missing longest, at most `MOST_NAMES` of the `n_names`.
    """

    n_dated: int
    n_undated: int
    n_names: int
    share: float | None
    years: tuple[YearOfMembers, ...]
    names: tuple[MissingMember, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Dated members of each session: how many (n_dates,), and which are missing (n_dates, n_missing_names)."""

    sessions: DateArray
    names: tuple[str, ...]
    n_members: IntArray
    missing: BoolArray
    n_dated: int
    n_undated: int

    @property
    def share(self) -> FloatArray:
        """Missing over dated members, shape (n_dates,); 0 where nobody is dated."""
        share: FloatArray = self.missing.sum(axis=1) / np.maximum(self.n_members, 1)
        return share

    @property
    def written_down(self) -> FloatArray:
        """Part of an equally held universe's whole loss that falls on each session, shape (n_dates,).

        Each missing name is held at one part in `n_members`, and loses in equal steps over its absence.
        """
        if not self.names:
            return np.zeros(self.n_members.size)
        steps: FloatArray = self.missing @ (1 / self.missing.sum(axis=0))
        return steps / np.maximum(self.n_members, 1)

    def summary(self) -> MissingMembers:
        """The absence in figures."""
        is_dated = self.n_members > 0
        return MissingMembers(
            n_dated=self.n_dated,
            n_undated=self.n_undated,
            n_names=len(self.names),
            share=float(self.share[is_dated].mean()) if is_dated.any() else None,
            years=self._years(),
            names=self._longest(),
        )

    def _years(self) -> tuple[YearOfMembers, ...]:
        if not self.n_members.any():
            return ()
        years = self.sessions.astype("datetime64[Y]").astype(int) + 1970
        n_missing = self.missing.sum(axis=1)
        return tuple(
            YearOfMembers(
                year=int(year),
                members=float(self.n_members[years == year].mean()),
                missing=float(n_missing[years == year].mean()),
            )
            for year in np.unique(years)
        )

    def _longest(self) -> tuple[MissingMember, ...]:
        counts = self.missing.sum(axis=0)
        # Equal lengths go by name: names are sorted and the sort is stable.
        return tuple(
            MissingMember(
                ticker=self.names[column],
                n_sessions=int(counts[column]),
                first=str(self.sessions[self.missing[:, column].argmax()]),
                last=str(self.sessions[::-1][self.missing[::-1, column].argmax()]),
            )
            for column in np.argsort(-counts, kind="stable")[:MOST_NAMES]
        )


def absence(panel: PricePanel, rows: IntArray, stays: Sequence[Membership], *, grace: int) -> Absence:
    """Who is a member and missing on some sessions of a panel.

    Parameters
    ----------
    panel : PricePanel
        Every session that is known, for first and last bars.
    rows : ndarray of shape (n,), intp
        Consecutive panel rows that are looked at.
    stays : sequence of Membership
        Every stay in the universe, of tickers that the panel has and of those that it lacks.
    grace : int
        Sessions after its last bar on which a name does not count as missing yet.
    """
    dated = [stay for stay in stays if stay.start_date > SINCE_EVER or stay.end_date is not None]
    names = tuple(sorted({stay.ticker for stay in dated}))
    sessions = panel.sessions[rows]
    member = _member(sessions, names, dated)
    first, stop = _presence(panel, names, grace)
    # Names that are there on every session looked at need no further look: mostly nearly all.
    doubtful = np.flatnonzero((first > rows[0]) | (stop <= rows[-1]))
    at = rows[:, np.newaxis]
    missing = member[:, doubtful] & ((at < first[doubtful]) | (at >= stop[doubtful]))
    is_missing = missing.any(axis=0)
    return Absence(
        sessions=sessions,
        names=tuple(names[column] for column in doubtful[is_missing]),
        n_members=member.sum(axis=1),
        missing=missing[:, is_missing],
        n_dated=len(names),
        n_undated=len({stay.ticker for stay in stays} - set(names)),
    )


def _member(sessions: DateArray, names: tuple[str, ...], stays: Sequence[Membership]) -> BoolArray:
    place = {name: number for number, name in enumerate(names)}
    return member_matrix(
        sessions,
        len(names),
        columns=np.array([place[stay.ticker] for stay in stays], dtype=np.intp),
        start_dates=np.array([stay.start_date for stay in stays], dtype="datetime64[D]"),
        end_dates=np.array([stay.end_date or "NaT" for stay in stays], dtype="datetime64[D]"),
    )


def _presence(panel: PricePanel, names: tuple[str, ...], grace: int) -> tuple[IntArray, IntArray]:
    """Row of the first bar of each name, and the one `grace` sessions behind its last; a first past all for none."""
    firsts = _first_rows(panel.has_close)
    stops = panel.n_dates - 1 - _first_rows(panel.has_close[::-1]) + grace
    place = {ticker: column for column, ticker in enumerate(panel.tickers)}
    # One more column, for the names that the panel does not have.
    columns = np.array([place.get(name, len(place)) for name in names], dtype=np.intp)
    return np.append(firsts, panel.n_dates)[columns], np.append(stops, 0)[columns]


def _first_rows(has_close: BoolArray) -> IntArray:
    """Row of the first close of each column, the number of rows where there is none."""
    first = np.zeros(has_close.shape[1], dtype=np.intp)
    late = np.flatnonzero(~has_close[0])  # mostly few: to search all columns would take most of the audit
    part = has_close[:, late]
    first[late] = np.where(part.any(axis=0), part.argmax(axis=0), has_close.shape[0])
    return first
