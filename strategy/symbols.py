"""Which instrument bore a symbol on a date: symbols are dated, instruments keep their id for good.

Two companies that bore one symbol one after the other (WM: Washington Mutual, then Waste Management) are two
instruments, and one company under several symbols (QQQ, QQQQ, QQQ) is one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolStay:
    """The time in which an instrument bore a symbol, both ends included; None: since ever, or until further notice."""

    instrument: str
    symbol: str
    start_date: dt.date | None
    end_date: dt.date | None

    def covers(self, date: dt.date) -> bool:
        """Whether the instrument bore the symbol on that date."""
        is_begun = self.start_date is None or self.start_date <= date
        return is_begun and (self.end_date is None or date <= self.end_date)


def symbol_stays(
    instrument: str,
    symbol: str,
    *,
    start_date: dt.date | None,
    changes: Iterable[tuple[dt.date, str]],
    delisted_on: dt.date | None,
) -> list[SymbolStay]:
    """Every stay of an instrument, in order.

    Parameters
    ----------
    instrument, symbol : str
        Its id, and the first symbol that it bore.
    start_date : date or None
        First date with that symbol; None: since ever.
    changes : iterable of (date, str)
        First date of each later symbol, and the symbol. Changes on or before `start_date`, or after the delisting,
        leave no stay of the symbol they replace.
    delisted_on : date or None
        First date without a listing.
    """
    steps = [(start_date, symbol), *sorted(changes)]
    ends = [step[0] - _DAY if step[0] else None for step in steps[1:]]
    ends.append(delisted_on - _DAY if delisted_on else None)
    stays = []
    for (start, name), end in zip(steps, ends, strict=True):
        last = end if delisted_on is None else min(end or dt.date.max, delisted_on - _DAY)
        if start is None or last is None or start <= last:
            stays.append(SymbolStay(instrument=instrument, symbol=name, start_date=start, end_date=last))
    return stays


def holder(stays: Sequence[SymbolStay], symbol: str, date: dt.date) -> str | None:
    """Id of the instrument that bore the symbol on a date; None when nobody is known to.

    Where several are, the one that took the symbol last: a listing that nobody ended must not hide its successor.
    """
    found = [stay for stay in stays if stay.symbol == symbol and stay.covers(date)]
    latest = max(found, key=lambda stay: (stay.start_date or dt.date.min, stay.instrument), default=None)
    return latest.instrument if latest else None


def last_bearer(stays: Sequence[SymbolStay], symbol: str, today: dt.date) -> str | None:
    """Id of the instrument that bears the symbol today, or bore it last; None when nobody is known to have."""
    present = holder(stays, symbol, today)
    if present is not None:
        return present
    past = [stay for stay in stays if stay.symbol == symbol]
    last = max(past, key=lambda stay: stay.end_date or dt.date.max, default=None)
    return last.instrument if last else None


def last_symbol(stays: Sequence[SymbolStay], instrument: str) -> str | None:
    """Symbol that the instrument bears now, or bore last."""
    own = [stay for stay in stays if stay.instrument == instrument]
    return own[-1].symbol if own else None


def free_id(symbol: str, first_date: dt.date, taken: Iterable[str]) -> str:
    """Id of a new instrument: its symbol, or where an earlier instrument has that id, the symbol and its first date."""
    return symbol if symbol not in set(taken) else f"{symbol}@{first_date.isoformat()}"
