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
        If there is no such zone.
    """
    clock = _zone(zone)
    instants = np.asarray(moments, dtype=np.int64)
    # Many bars share a moment: each is looked up once.
    distinct, places = np.unique(instants, return_inverse=True)
    shifts = np.array([_offset_s(moment, clock) for moment in distinct.tolist()], dtype=np.int64)
    shifted: NDArray[np.int64] = instants + shifts[places]
    return shifted


def local_dates(moments: Sequence[int] | NDArray[np.int64], zone: str) -> NDArray[np.datetime64]:
    """Calendar dates of `local_seconds`, datetime64[D]."""
    dates: NDArray[np.datetime64] = local_seconds(moments, zone).astype("datetime64[s]").astype("datetime64[D]")
    return dates


@lru_cache(maxsize=2**16)
def _offset_s(moment: int, clock: dt.tzinfo) -> int:
    """Seconds by which a clock is ahead of UTC; kept, since tickers of one exchange have bars of the same moments."""
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
