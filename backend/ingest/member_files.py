"""Members of a universe from a file: stays with their dates, or changes of a list.

1. Read the rows as text, each with its line.
2. `date, add, remove` is a list of changes; `ticker, start_date, end_date` a list of stays. Without dates every ticker
   is a member since ever.
3. Check the whole file: every error is named with its line, and then nothing of it is used.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from backend.ingest.errors import MembersFileError, SourceSettingsError
from strategy.universe import SINCE_EVER, MemberChange, Membership, overlaps

#: What an end date means: the last day in the universe, or the first day out of it, as lists of changes date it.
EndDate: TypeAlias = Literal["last-day", "first-day-out"]

#: What files call the columns, in lower case without anything but letters; earlier names are preferred.
_STAYS: Mapping[str, tuple[str, ...]] = {
    "ticker": ("ticker", "symbol"),
    "start_date": ("startdate", "start", "dateadded", "from"),
    "end_date": ("enddate", "end", "dateremoved", "to"),
}
_CHANGES: Mapping[str, tuple[str, ...]] = {
    "date": ("date", "effectivedate"),
    "add": ("add", "added"),
    "remove": ("remove", "removed"),
}
_ISO_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})([T ].*)?")
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersFile:
    """What a file says: either the whole list of stays, or changes of a list."""

    stays: tuple[Membership, ...] = ()
    changes: tuple[MemberChange, ...] = ()


#: The place of a row, as a message names it, and its cells by our names.
_Row: TypeAlias = tuple[str, Mapping[str, str]]


def read_members(path: Path, *, end_date: EndDate = "last-day") -> MembersFile:
    """Members from a CSV or Parquet file.

    Parameters
    ----------
    path : Path
        Columns `ticker`, `start_date`, `end_date` (empty: still in), or `date`, `add`, `remove` with tickers separated
        by commas; other common names of them are understood.
    end_date : {"last-day", "first-day-out"}
        What the column `end_date` means.

    Raises
    ------
    SourceSettingsError
        If the file cannot be read, or has neither kind of columns.
    MembersFileError
        If any of its rows is wrong; it names every one.
    """
    names, rows = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    changes, stays = _found(names, _CHANGES), _found(names, _STAYS)
    if "date" in changes and len(changes) > 1:
        return MembersFile(changes=_changes(path, _renamed(rows, changes)))
    if "ticker" not in stays:
        reason = f"needs ticker, start_date, end_date or date, add, remove; columns found: {', '.join(names) or 'none'}"
        raise SourceSettingsError("members", str(path), reason)
    return MembersFile(stays=_stays(path, _renamed(rows, stays), end_date))


def _stays(path: Path, rows: Sequence[_Row], end_date: EndDate) -> tuple[Membership, ...]:
    problems: list[str] = []
    places: dict[int, str] = {}
    stays = []
    for place, row in rows:
        try:
            stay = _stay(row, end_date)
        except ValueError as error:
            problems.append(f"{place}: {error}")
        else:
            places[id(stay)] = place
            stays.append(stay)
    problems += [
        f"{places[id(stay)]}: {stay.ticker} from {stay.start_date} overlaps its stay in {places[id(before)]}"
        for before, stay in overlaps(stays)
    ]
    _refuse(path, problems, is_empty=not rows)
    return tuple(stays)


def _stay(row: Mapping[str, str], end_date: EndDate) -> Membership:
    if not row["ticker"]:
        raise ValueError("the ticker is empty")
    start = _date("start_date", row["start_date"]) if "start_date" in row else SINCE_EVER
    end = _date("end_date", row["end_date"]) if row.get("end_date") else None
    last = end - _DAY if end is not None and end_date == "first-day-out" else end
    if last is not None and last < start:
        raise ValueError(f"{row['ticker']} ends on {end}, before it has begun on {start}")
    return Membership(ticker=row["ticker"], start_date=start, end_date=last)


def _changes(path: Path, rows: Sequence[_Row]) -> tuple[MemberChange, ...]:
    problems: list[str] = []
    changes: list[MemberChange] = []
    for place, row in rows:
        try:
            changes += _changes_of(row)
        except ValueError as error:
            problems.append(f"{place}: {error}")
    _refuse(path, problems, is_empty=not rows)
    return tuple(changes)


def _changes_of(row: Mapping[str, str]) -> list[MemberChange]:
    date = _date("date", row["date"])
    found = [
        MemberChange(ticker=ticker.strip(), date=date, joins=column == "add")
        for column in ("add", "remove")
        for ticker in row.get(column, "").split(",")
        if ticker.strip()
    ]
    if not found:
        raise ValueError("neither adds nor removes a ticker")
    return found


def _date(name: str, text: str) -> dt.date:
    match = _ISO_DATE.fullmatch(text)
    try:
        return dt.date.fromisoformat(match[1] if match else text)
    except ValueError:
        raise ValueError(f"{name}={text!r} is no date such as 2024-01-31") from None


def _refuse(path: Path, problems: Sequence[str], *, is_empty: bool) -> None:
    if problems or is_empty:
        raise MembersFileError(str(path), problems or ["the file has no row"])


def _found(names: Sequence[str], columns: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Position of each of our columns that the file has."""
    plain = [re.sub(r"[^a-z]", "", name.lower()) for name in names]
    return {
        ours: plain.index(next(name for name in synonyms if name in plain))
        for ours, synonyms in columns.items()
        if set(synonyms) & set(plain)
    }


def _renamed(rows: Iterator[tuple[str, Sequence[str]]], found: Mapping[str, int]) -> list[_Row]:
    # A row that is too short has nothing in its last columns.
    return [
        (place, {ours: cells[at].strip() if at < len(cells) else "" for ours, at in found.items()})
        for place, cells in rows
    ]


def _read_csv(path: Path) -> tuple[Sequence[str], Iterator[tuple[str, Sequence[str]]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceSettingsError("members", str(path), f"it cannot be read: {error}") from error
    reader = csv.reader(text.splitlines(keepends=True))
    names = next(reader, [])
    # reader.line_num is the line that was read last: of this row.
    return names, ((f"line {reader.line_num}", cells) for cells in reader if cells)


def _read_parquet(path: Path) -> tuple[Sequence[str], Iterator[tuple[str, Sequence[str]]]]:
    import pyarrow as pa  # noqa: PLC0415  only for such a file
    import pyarrow.parquet as pq  # noqa: PLC0415  only for such a file

    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise SourceSettingsError("members", str(path), f"it cannot be read: {str(error).splitlines()[0]}") from error
    columns = [["" if value is None else str(value) for value in column.to_pylist()] for column in table.columns]
    rows = zip(*columns, strict=True)
    return table.column_names, ((f"row {number}", cells) for number, cells in enumerate(rows, start=1))
