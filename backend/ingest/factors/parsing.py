"""Factor files: of Kenneth French's data library, and in the style of FRED.

French's (mba.tuck.dartmouth.edu/pages/faculty/ken.french/data_library.html): some lines of prose, a header that begins
with a comma, daily rows ``YYYYMMDD, per cent, ...``, then perhaps an empty line, annual rows, and a copyright.
-99.99 and -999 mean: no value. FRED's: a header, ISO dates, values in whatever unit the series has, a dot for no value.

1. The header says which of the two it is.
2. Every row is read or refused with its line: none is skipped, and no date may come twice.
3. French's per cent become fractions; FRED's values stay as they are.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

from backend.ingest.errors import BadDataError
from backend.ingest.factors.table import Factors, unpivoted

_FRED_DATES = ("date", "observation_date")
_FRED_MISSING = frozenset({".", ""})
_FRENCH_MISSING = frozenset({-99.99, -999.0})
_DAILY = re.compile(r"^\s*\d{8}\s*,")
_PERIODIC = re.compile(r"^\s*\d{4}(\d{2})?\s*,")

Line = tuple[int, str]


def parsed_factors(text: str, *, dataset: str) -> Factors:
    """Series of a file.

    Raises
    ------
    BadDataError
        If it is neither of the two kinds, or a line is not what its header promises; names the line.
    """
    lines = [(number, line) for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1)]
    first = next((line for _, line in lines if line.strip()), "")
    if first.split(",")[0].strip().strip('"').lower() in _FRED_DATES:
        return _fred(lines, dataset)
    return _french(lines, dataset)


def _fred(lines: Sequence[Line], dataset: str) -> Factors:
    header, *rows = [line for line in lines if line[1].strip()]
    return _factors(header, rows, dataset, date=dt.date.fromisoformat, value=_fred_value, unit="as in the file")


def _french(lines: Sequence[Line], dataset: str) -> Factors:
    begins = [
        position
        for position, (_, line) in enumerate(lines)
        if _DAILY.match(line) and (position == 0 or not _DAILY.match(lines[position - 1][1]))
    ]
    if len(begins) != 1 or begins[0] == 0:
        raise BadDataError("factors", dataset, _no_single_section(lines, len(begins)))
    end = next((place for place in range(begins[0], len(lines)) if not lines[place][1].strip()), len(lines))
    header, rows = lines[begins[0] - 1], lines[begins[0] : end]
    return _factors(header, rows, dataset, date=_french_date, value=_french_value, unit="fraction")


def _no_single_section(lines: Sequence[Line], n_found: int) -> str:
    if n_found > 1:
        return f"{n_found} sections of daily rows, where a factor file has one: portfolios are not read"
    if n_found:
        return "daily rows without a header above them"
    if any(_PERIODIC.match(line) for _, line in lines):
        return "only monthly or annual rows: take the file whose name ends in _daily"
    return "neither a column named DATE or observation_date nor rows that begin with YYYYMMDD"


def _factors(
    header: Line,
    rows: Sequence[Line],
    dataset: str,
    *,
    date: Callable[[str], dt.date],
    value: Callable[[str], float | None],
    unit: str,
) -> Factors:
    names = [name.strip() for name in next(csv.reader([header[1]]))][1:]
    if not names or not all(names) or len(set(names)) < len(names):
        raise _bad(dataset, header, "a header names every series once")
    dates: list[dt.date] = []
    values: list[list[float | None]] = []
    for row in rows:
        cells = [cell.strip() for cell in next(csv.reader([row[1]]))]
        if len(cells) != len(names) + 1:
            raise _bad(dataset, row, f"expected a date and {len(names)} values")
        try:
            dates.append(date(cells[0]))
            values.append([value(cell) for cell in cells[1:]])
        except ValueError as error:
            raise _bad(dataset, row, str(error)) from error
    twice = [day for day, count in Counter(dates).items() if count > 1]
    if twice:
        raise BadDataError("factors", dataset, f"{twice[0]} comes more than once")
    columns = {name: [row[place] for row in values] for place, name in enumerate(names)}
    return Factors(table=unpivoted(dataset, dates, columns), unit=unit)


def _french_date(cell: str) -> dt.date:
    return dt.datetime.strptime(cell, "%Y%m%d").replace(tzinfo=dt.UTC).date()


def _french_value(cell: str) -> float | None:
    # Not divided by 100: the fraction nearest to the decimal that was printed, without a rounding of its own.
    return None if _finite(cell) in _FRENCH_MISSING else float(f"{cell}e-2")


def _fred_value(cell: str) -> float | None:
    return None if cell in _FRED_MISSING else _finite(cell)


def _finite(cell: str) -> float:
    number = float(cell)
    if not math.isfinite(number):
        raise ValueError(f"{cell!r} is no number")
    return number


def _bad(dataset: str, line: Line, reason: str) -> BadDataError:
    return BadDataError("factors", dataset, f"line {line[0]} ({line[1].strip()[:60]!r}): {reason}")
