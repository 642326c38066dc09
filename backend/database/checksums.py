"""One text for one row, whichever database it came from, so that tables can be compared."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Double, Integer, Table, Text
from sqlalchemy.types import TypeEngine

from backend.database.column_types import UtcDateTime

#: Days and moments as SQLite stores them, by column type.
_STORED_MOMENT = "%Y-%m-%d %H:%M:%S.%f"


class UnreadableCellError(ValueError):
    """A cell of SQLite holds what its column cannot mean."""

    def __init__(self, column: str, value: object, reason: str) -> None:
        self.column = column
        super().__init__(f"{column}={value!r}: {reason}")


def typed_row(table: Table, raw: Mapping[str, Any]) -> dict[str, Any]:  # Any: cells of mixed types
    """Row of SQLite's raw cells as the column types mean them; `UnreadableCellError` names the first that is wrong.

    SQLite stores any value in any column, so each cell is checked against the type that the models give it.
    """
    return {column.name: _typed_cell(column, raw[column.name]) for column in table.columns}


def row_text(table: Table, row: Mapping[str, Any]) -> str:  # Any: cells of mixed types
    """Canonical JSON of a typed row: columns in the order of the models, floats to the last bit, moments in UTC."""
    return _json([_plain(row[column.name]) for column in table.columns])


def cell_text(row: Mapping[str, Any], column: Column[Any]) -> str:  # Any: cells of mixed types
    """Canonical JSON of one cell of a typed row."""
    return _json(_plain(row[column.name]))


class Checksum:
    """Number of rows, and a checksum that does not depend on their order: the sum of the rows' sha256."""

    def __init__(self) -> None:
        self.count = 0
        self._total = 0

    def add(self, texts: Iterable[str]) -> None:
        """Take in the canonical texts of some rows."""
        for text in texts:
            self.count += 1
            digest = hashlib.sha256(text.encode()).digest()
            self._total = (self._total + int.from_bytes(digest, "big")) % (1 << 256)

    @property
    def digest(self) -> str:
        """64 hexadecimal digits."""
        return f"{self._total:064x}"


def _typed_cell(column: Column[Any], value: Any) -> Any:  # Any: a cell
    if value is None and column.nullable:
        return None
    if value is None:
        raise UnreadableCellError(column.name, value, "must not be empty")
    read = next(reader for kind, reader in _READERS if isinstance(column.type, kind))
    try:
        return read(value)
    except (TypeError, ValueError) as error:
        raise UnreadableCellError(column.name, value, str(error)) from error


def _number(value: Any) -> float:  # Any: a cell
    if isinstance(value, str | bytes) or not math.isfinite(value):
        raise ValueError("is no finite number")
    return float(value)


def _whole(value: Any) -> int:  # Any: a cell
    if not isinstance(value, int):
        raise TypeError("is no whole number")
    return value


def _flag(value: Any) -> bool:  # Any: a cell
    if value not in (0, 1):
        raise ValueError("is neither true nor false")
    return bool(value)


def _text(value: Any) -> str:  # Any: a cell
    if not isinstance(value, str):
        raise TypeError("is no text")
    if "\0" in value:
        raise ValueError("holds a NUL character, which PostgreSQL cannot store")
    return value


def _moment(value: str) -> dt.datetime:
    # The server's own default has no fraction of a second.
    form = _STORED_MOMENT if "." in value else _STORED_MOMENT.removesuffix(".%f")
    return dt.datetime.strptime(value, form).replace(tzinfo=dt.UTC)


#: How the raw cell of a column type is read; the first that fits.
_READERS: tuple[tuple[type[TypeEngine[Any]], Callable[[Any], Any]], ...] = (  # Any: a cell
    (Boolean, _flag),
    (Double, _number),
    (Date, dt.date.fromisoformat),
    (UtcDateTime, _moment),
    (JSON, json.loads),
    (Integer, _whole),
    (Text, _text),
)


def _plain(value: Any) -> Any:  # Any: a cell
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, dict | list):
        return _as_jsonb(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def _as_jsonb(value: Any) -> Any:  # Any: a JSON value
    """JSON as PostgreSQL gives it back: 1e22 as a whole number, no negative zero."""
    if isinstance(value, dict):
        return {name: _as_jsonb(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_jsonb(item) for item in value]
    return int(Decimal(repr(value))) if isinstance(value, float) and value.is_integer() else value


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
