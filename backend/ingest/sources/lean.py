"""Map and factor files of QuantConnect's LEAN: which symbol a company bore, and what its splits and dividends did.

A map file has one line for the listing and one for each symbol with its last date; a factor file one line for each
session before an ex-date, with the factors that bring closes up to it to today's basis. The actions are recovered from
the factors, to the seven digits that those have.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from backend.ingest.errors import SourceSettingsError
from backend.ingest.sources.contract import ACTION_SCHEMA

#: LEAN's word for: until further notice.
_OPEN_END = dt.date(2050, 12, 31)
_DAY = dt.timedelta(days=1)
#: Changes of a factor below this are rounding.
_NOISE = 1e-7
#: Factors have seven digits, so that 2 for 1 comes out as 1.99999552: a ratio of small numbers this close is meant.
_LARGEST_DENOMINATOR, _SNAP = 100, 2e-5

NextSession = Callable[[dt.date], dt.date]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFile:
    """The symbols of one company; `delisted_on` None: still listed."""

    symbol: str
    start_date: dt.date
    changes: tuple[tuple[dt.date, str], ...]
    delisted_on: dt.date | None

    @property
    def last_symbol(self) -> str:
        """The symbol that it bears, or bore last."""
        return self.changes[-1][1] if self.changes else self.symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class _FactorLine:
    date: dt.date
    price_factor: float
    split_factor: float
    reference_price: float


def read_map_file(path: Path) -> MapFile:
    """The symbols of a company; `SourceSettingsError` names the line that is wrong."""
    lines = [(_date(path, number, line), line[1].strip().upper()) for number, line in _lines(path, least=2)]
    (listed, symbol), *stays = lines
    if not stays:
        raise _wrong(path, 1, "the file has no line with a last date")
    # A symbol begins on the day after the last one of the symbol before it.
    changes = [(before[0] + _DAY, after[1]) for before, after in pairwise(stays) if after[1] != before[1]]
    last = stays[-1][0]
    return MapFile(
        symbol=symbol,
        start_date=listed,
        changes=tuple(changes),
        delisted_on=None if last >= _OPEN_END else last + _DAY,
    )


def read_factor_file(path: Path, *, ticker: str, next_session: NextSession) -> pa.Table:
    """Splits and dividends of a factor file.

    Parameters
    ----------
    path : Path
    ticker : str
        Id of the instrument.
    next_session : callable
        The first session after a date: a line's date is the last one before the ex-date.

    Returns
    -------
    pa.Table of ACTION_SCHEMA
        Sorted by ex-date.
    """
    lines = [_factor_line(path, number, line) for number, line in _lines(path, least=4)]
    found: dict[tuple[dt.date, str], float] = {}
    for before, after in pairwise(sorted(lines, key=lambda line: line.date)):
        ratio = after.split_factor / before.split_factor
        paid = before.reference_price * (1 - before.price_factor / after.price_factor) / ratio
        # Lines of days without a session concern the same next one.
        ex_date = next_session(before.date) if abs(ratio - 1) > _NOISE or paid > 0 else before.date
        if abs(ratio - 1) > _NOISE:
            found[ex_date, "split"] = found.get((ex_date, "split"), 1.0) * _simple(ratio)
        if paid > 0:
            found[ex_date, "dividend"] = found.get((ex_date, "dividend"), 0.0) + paid
    rows = [
        {"ticker": ticker, "ex_date": ex_date, "kind": kind, "value": value} for (ex_date, kind), value in found.items()
    ]
    return pa.Table.from_pylist(rows, schema=ACTION_SCHEMA)


def _simple(ratio: float) -> float:
    near = float(Fraction(ratio).limit_denominator(_LARGEST_DENOMINATOR))
    return near if abs(near / ratio - 1) <= _SNAP else ratio


def _lines(path: Path, *, least: int) -> list[tuple[int, list[str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            lines = [(number, line) for number, line in enumerate(csv.reader(stream), start=1) if line]
    except (OSError, UnicodeDecodeError) as error:
        raise SourceSettingsError("path", str(path), f"it cannot be read: {error}") from error
    if not lines:
        raise _wrong(path, 1, "the file is empty")
    for number, line in lines:
        if len(line) < least:
            raise _wrong(path, number, f"expected {least} columns, found {len(line)}")
    return lines


def _factor_line(path: Path, number: int, line: list[str]) -> _FactorLine:
    try:
        price, split, reference = (float(text) for text in line[1:4])
    except ValueError as error:
        raise _wrong(path, number, f"a factor that is no number ({error})") from error
    if not (price > 0 and split > 0 and reference >= 0):
        raise _wrong(path, number, "factors must be positive and the price not negative")
    return _FactorLine(
        date=_date(path, number, line), price_factor=price, split_factor=split, reference_price=reference
    )


def _date(path: Path, number: int, line: list[str]) -> dt.date:
    try:
        return dt.datetime.strptime(line[0].strip(), "%Y%m%d").date()  # noqa: DTZ007  a date, not a moment
    except ValueError as error:
        raise _wrong(path, number, f"{line[0]!r} is no date of the form 20240131") from error


def _wrong(path: Path, number: int, reason: str) -> SourceSettingsError:
    return SourceSettingsError("path", str(path), f"line {number}: {reason}")
