"""Columns of a file, whatever it calls them, turned into those of BAR_SCHEMA.

The moment of publication is never guessed from a column's name: `known_at` must be mapped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.ingest.errors import SourceSettingsError
from backend.ingest.sources.contract import BAR_SCHEMA, VINTAGE_SCHEMA
from backend.ingest.sources.zones import local_seconds

Column: TypeAlias = Any  # a ChunkedArray; the stubs do not follow what compute functions make of one

#: What files call our columns, in lower case without spaces and punctuation; earlier names are preferred to later ones.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "ticker": ("ticker", "symbol", "name"),
    "date": ("date", "datetime", "timestamp"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume", "vol"),
    "adjusted_close": ("adjustedclose", "adjclose"),
    "known_at": (),
}
_RANGE = ("open", "high", "low")
_TIME_OF_DAY = r"^(\d{4}-\d{2}-\d{2})[T ].*$"
_DAY_S, _DAY_US = 86_400, 86_400_000_000
_BASIC_FORMAT = r"^(\d{4})(\d{2})(\d{2})$"


def column_map(names: Sequence[str], mapping: Mapping[str, str], *, path: Path) -> dict[str, int]:
    """Position in the file of each of our columns that it has.

    Parameters
    ----------
    names : sequence of str
        Column names as found.
    mapping : mapping of str to str
        Their name to ours; wins over the synonyms.
    path : Path
        The file, for the message.

    Raises
    ------
    SourceSettingsError
        If the mapping names a column that is not there or not one of ours, two columns have the same claim, `date` or
        `close` is missing, or some but not all of open, high and low are there.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise _wrong_columns(path, names, f"{twice[0]!r} appears more than once")
    found = _mapped(names, mapping, path)
    for ours in SYNONYMS:
        if ours not in found:
            candidates = [index for index in _synonymous(names, ours) if names[index] not in mapping]
            if len(candidates) > 1:
                both = " and ".join(repr(names[index]) for index in candidates)
                raise _wrong_columns(path, names, f"{both} could both be {ours!r}")
            if candidates:
                found[ours] = candidates[0]
    missing = [ours for ours in ("date", "close") if ours not in found]
    if missing:
        raise _wrong_columns(path, names, f"no column for {' and '.join(missing)}")
    ranges = [ours for ours in _RANGE if ours in found]
    if ranges and len(ranges) < len(_RANGE):
        raise _wrong_columns(path, names, f"{', '.join(ranges)} without the rest of open, high, low")
    return found


def typed(table: pa.Table, *, path: Path) -> pa.Table:
    """Our columns cast to BAR_SCHEMA, or VINTAGE_SCHEMA where `known_at` is among them.

    Numbers are widened exactly, NaN becomes null, dates are read from timestamps or ISO text. A publication of which
    only the day is told counts from the end of that day, UTC; a moment without a time zone is UTC.

    Raises
    ------
    SourceSettingsError
        If a date is not a date, a price not a number, or a row does not say when it was published.
    """
    schema = VINTAGE_SCHEMA if "known_at" in table.column_names else BAR_SCHEMA
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        values = _decoded(table[field.name])
        try:
            columns.append(_AS[field.name](values) if field.name in _AS else _as_numbers(values))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            reason = f"column {field.name!r} holds {_first_line(error)}"
            raise SourceSettingsError("path", str(path), f"{reason}; {_EXPECTED[field.name]}") from error
    return pa.Table.from_arrays(columns, schema=schema)


def is_closes_only(found: Mapping[str, int]) -> bool:
    """Whether the file has no open, high and low."""
    return not any(ours in found for ours in _RANGE)


def _mapped(names: Sequence[str], mapping: Mapping[str, str], path: Path) -> dict[str, int]:
    for theirs, ours in mapping.items():
        if ours not in SYNONYMS:
            known = ", ".join(SYNONYMS)
            raise SourceSettingsError("map", f"{theirs}={ours}", f"{ours!r} is none of our columns ({known})")
        if theirs not in names:
            raise _wrong_columns(path, names, f"the mapped column {theirs!r} is not in it")
    for ours, count in Counter(mapping.values()).items():
        if count > 1:
            both = " and ".join(repr(theirs) for theirs in mapping if mapping[theirs] == ours)
            raise _wrong_columns(path, names, f"{both} are mapped to {ours!r}, which can be one of them")
    return {ours: names.index(theirs) for theirs, ours in mapping.items()}


def _synonymous(names: Sequence[str], ours: str) -> list[int]:
    plain = [re.sub(r"[^a-z]", "", name.lower()) for name in names]
    for synonym in SYNONYMS[ours]:
        if synonym in plain:
            return [index for index, name in enumerate(plain) if name == synonym]
    return []


def _wrong_columns(path: Path, names: Sequence[str], reason: str) -> SourceSettingsError:
    found = ", ".join(names) or "none"
    return SourceSettingsError(
        "path", str(path), f"{reason}; columns found: {found}; say what they mean with --map their=ours"
    )


def _decoded(values: Column) -> Column:
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values


def _is_text(kind: pa.DataType) -> bool:
    return any(is_one(kind) for is_one in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _as_tickers(values: Column) -> Column:
    text = values.cast(pa.string())
    # PostgreSQL keeps none in text; it comes of a damaged file.
    if pc.any(pc.match_substring(text, "\0")).as_py():
        raise pa.ArrowInvalid("text with a NUL character")
    return _without_blanks(text)


def _as_dates(values: Column) -> Column:
    kind = values.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        dates = _local_seconds(values).astype("datetime64[s]").astype("datetime64[D]")
        return pa.chunked_array([pa.array(dates, pa.date32(), mask=_is_missing(values))])
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_null(kind):
        return values.cast(pa.date32(), safe=False)
    if not _is_text(kind) and not pa.types.is_integer(kind):
        raise pa.ArrowInvalid(f"values of type {kind}")
    text = _without_blanks(values.cast(pa.string()))
    text = pc.replace_substring_regex(text, _TIME_OF_DAY, r"\1")
    return pc.replace_substring_regex(text, _BASIC_FORMAT, r"\1-\2-\3").cast(pa.date32())


def _as_moments(values: Column) -> Column:
    kind = values.type
    if pa.types.is_timestamp(kind) and not _is_midnight(values):
        moments = values.cast(pa.timestamp("us", tz=kind.tz or "UTC")).cast(pa.timestamp("us", tz="UTC"))
    else:
        following_day = pc.add(_as_dates(values).cast(pa.timestamp("us")), pa.scalar(_DAY_US, pa.duration("us")))
        moments = following_day.cast(pa.timestamp("us", tz="UTC"))
    if moments.null_count:
        raise pa.ArrowInvalid(f"nothing in {moments.null_count:,} rows")
    return moments


def _is_midnight(values: Column) -> bool:
    """Whether the moments, read as written, are days: not one has a time of day."""
    whole = values.cast(pa.timestamp("s", values.type.tz), safe=False)
    has_fraction = bool(pc.any(pc.not_equal(whole.cast(values.type), values)).as_py())
    times = _local_seconds(values)[~_is_missing(values)] % _DAY_S
    return not has_fraction and not times.any()


def _local_seconds(values: Column) -> NDArray[np.int64]:
    """Seconds since 1970-01-01 as the moments are written; undefined where there is none."""
    seconds = values.cast(pa.timestamp("s", values.type.tz), safe=False).cast(pa.int64())
    return local_seconds(seconds.fill_null(0).to_numpy(), values.type.tz or "UTC")


def _is_missing(values: Column) -> NDArray[np.bool_]:
    missing: NDArray[np.bool_] = values.is_null().to_numpy()
    return missing


def _as_numbers(values: Column) -> Column:
    numbers = (_without_blanks(values) if _is_text(values.type) else values).cast(pa.float64(), safe=False)
    return pc.if_else(pc.is_nan(numbers), None, numbers)


def _without_blanks(text: Column) -> Column:
    trimmed = pc.utf8_trim_whitespace(text)
    return pc.if_else(pc.equal(trimmed, pa.scalar("")), None, trimmed)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


_AS = {"ticker": _as_tickers, "date": _as_dates, "known_at": _as_moments}
_EXPECTED = dict.fromkeys(BAR_SCHEMA.names, "expected a number, or nothing where there is none") | {
    "ticker": "expected text",
    "date": "expected dates, timestamps, or text such as 2024-01-31",
    "known_at": "expected in every row the day or moment of its publication",
}
