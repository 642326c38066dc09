"""What append-only versions of a fact have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

#: Most values of an IN list that SQLite takes in one statement with room to spare.
_IN_LIST = 5_000
_TICK = dt.timedelta(microseconds=1)


def later_than(newest: dt.datetime | None, known_at: dt.datetime) -> dt.datetime:
    """A new version is known strictly later than the one it replaces, whatever the clock of this process says."""
    return known_at if newest is None else max(known_at, newest + _TICK)


def in_lists(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """The values in parts, none too long for one statement."""
    return (values[begin : begin + _IN_LIST] for begin in range(0, len(values), _IN_LIST))
