"""Moments on the clock of an exchange.

By Python's own zones, which come with the package tzdata where the system has none. The image of a Lambda has none, and
pyarrow knows no others than the system's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_DAY_S = 86_400
#: Days that are looked up together, and what stands for a day on which the clock is set.
_BLOCK_DAYS, _CHANGES = 1_024, np.iinfo(np.int64).min
#: Moments that Python can put on any clock.
_FIRST, _LAST = (int(dt.datetime(*day, tzinfo=dt.UTC).timestamp()) for day in ((1, 1, 2), (9999, 12, 31)))


def local_seconds(moments: Sequence[int] | NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Seconds since 1970-01-01 00:00 on the clock of a zone.

    Parameters
    ----------
    moments : sequence of int
        Seconds since 1970-01-01 00:00 UTC.
    zone : str
        IANA name, or an offset such as +10:00.

    Raises
    ------
    ValueError
        If there is no such zone, or a moment is none of the years 1 to 9999.
    """
    clock = _zone(zone)
    instants = np.asarray(moments, dtype=np.int64)
    if instants.size and not _FIRST <= instants.min() <= instants.max() <= _LAST:
        raise ValueError("a moment outside the years 1 to 9999")
    shifted: NDArray[np.int64] = instants + _shifts(instants, clock)
    return shifted


def local_dates(moments: Sequence[int] | NDArray[np.int64], zone: str) -> NDArray[np.datetime64]:
    """Calendar dates of `local_seconds`, datetime64[D]."""
    dates: NDArray[np.datetime64] = local_seconds(moments, zone).astype("datetime64[s]").astype("datetime64[D]")
    return dates


def _shifts(instants: NDArray[np.int64], clock: dt.tzinfo) -> NDArray[np.int64]:
    blocks, days = np.divmod(instants // _DAY_S, _BLOCK_DAYS)
    shifts = np.empty_like(instants)
    for block in np.unique(blocks).tolist():
        of_block = blocks == block
        shifts[of_block] = _day_shifts(block, clock)[days[of_block]]
    changing = np.flatnonzero(shifts == _CHANGES)
    shifts[changing] = [_shift(moment, clock) for moment in instants[changing].tolist()]
    return shifts


@lru_cache(maxsize=256)
def _day_shifts(block: int, clock: dt.tzinfo) -> NDArray[np.int64]:
    """Of each UTC day of a block the seconds by which a clock is ahead of UTC; `_CHANGES` where it is set on that day.

    Twice within a day no clock is ever set: of all zones the shortest time between is four days (Freetown, 1939). Kept,
    since the tickers of an exchange have bars of the same days.
    """
    begin = block * _BLOCK_DAYS * _DAY_S
    midnights = range(begin, begin + (_BLOCK_DAYS + 1) * _DAY_S, _DAY_S)
    found = np.array([_shift(min(max(moment, _FIRST), _LAST), clock) for moment in midnights], dtype=np.int64)
    return np.where(found[:-1] == found[1:], found[:-1], _CHANGES)


def _shift(moment: int, clock: dt.tzinfo) -> int:
    """Seconds by which a clock is ahead of UTC."""
    offset = dt.datetime.fromtimestamp(moment, clock).utcoffset() or dt.timedelta()
    return int(offset.total_seconds())


def _zone(name: str) -> dt.tzinfo:
    offset = _OFFSET.fullmatch(name)
    if offset:
        sign, hours, minutes = offset.groups()
        shift = dt.timedelta(hours=int(hours), minutes=int(minutes))
        return dt.timezone(-shift if sign == "-" else shift)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"no time zone is called {name!r}") from error
