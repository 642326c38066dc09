"""Arrow tables in the binary format of PostgreSQL's COPY [1]_, built column by column.

1. Rows are put in groups of one layout: the same strings' lengths, the same nulls.
2. In a group every row has as many bytes, so it is one numpy array of records, each field with its length before it.
3. The arrays are the bytes to send, so that rows can be encoded while the server takes others.

.. [1] https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format"
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

#: One record a row.
Records: TypeAlias = NDArray[np.void]
Bytes: TypeAlias = bytes | memoryview

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
#: PostgreSQL counts days and microseconds from 2000-01-01; this many days after Arrow.
_EPOCH_DAY = 10_957
_EPOCH, _MICROSECOND = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.timedelta(microseconds=1)
_DAY_US = 86_400_000_000
#: Rows encoded at a time, so that the server reads while more are encoded.
_SLICE = 16_384


async def binary_copy(table: pa.Table, *, json_columns: Collection[str] = ()) -> AsyncIterator[Bytes]:
    """The rows of `encoded` with what COPY reads before and after them."""
    async for part in framed(encoded(table, json_columns=json_columns)):
        yield part


def encoded(table: pa.Table, *, json_columns: Collection[str] = ()) -> Iterator[Records]:
    """The rows, in any order, in parts.

    Parameters
    ----------
    table : pa.Table
        Columns of string, date32, float64, int32 or timestamp[us]: what the server's are of text (jsonb where it is one
        of `json_columns`), date, double precision, integer or timestamptz.
    """
    for group in _groups(table):
        for begin in range(0, group.num_rows, _SLICE):
            yield _records(group.slice(begin, _SLICE), json_columns)


async def framed(parts: Iterable[Records]) -> AsyncIterator[Bytes]:
    """Encoded rows with what COPY reads before and after them."""
    yield _HEADER
    for records in parts:
        yield records.view(np.uint8).data
    yield _TRAILER


def with_moment(parts: Iterable[Records], moment: dt.datetime) -> Iterator[Records]:
    """Encoded rows, their last column, a timestamptz, set to one moment."""
    since_2000 = (moment - _EPOCH) // _MICROSECOND
    for records in parts:
        names = records.dtype.names or ()
        records[names[-1]] = since_2000
        yield records


def _groups(table: pa.Table) -> Iterator[pa.Table]:
    codes = np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        if column.null_count or pa.types.is_string(column.type):
            sizes = _sizes(column)
            _, codes = np.unique(codes * (sizes.max(initial=0) + 1) + sizes, return_inverse=True)
    if not codes.any():
        yield table
        return
    for code in range(int(codes.max()) + 1):
        yield table.take(np.flatnonzero(codes == code))


def _sizes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Bytes of each value as far as they differ between rows; a null is one more than the longest value."""
    lengths = pc.binary_length(column) if pa.types.is_string(column.type) else pc.if_else(pc.is_valid(column), 0, None)
    longest = pc.max(lengths).as_py() or 0
    sizes: NDArray[np.int64] = pc.fill_null(lengths, longest + 1).to_numpy().astype(np.int64)
    return sizes


def _records(group: pa.Table, json_columns: Collection[str]) -> Records:
    fields: list[tuple[str, str]] = [("n", ">i2")]
    same: dict[str, Any] = {"n": group.num_columns}  # Any: one value for all rows
    different: dict[str, NDArray[Any]] = {}  # Any: of the column's type
    for number, name in enumerate(group.column_names):
        prefix = b"\1" if name in json_columns else b""  # the version of jsonb's own format
        values = _values(group[name].combine_chunks())
        fields.append((f"size{number}", ">i4"))
        same[f"size{number}"] = -1 if values is None else len(prefix) + values.dtype.itemsize
        if values is not None and prefix:
            fields.append((f"prefix{number}", "V1"))
            same[f"prefix{number}"] = np.void(prefix)
        if values is not None and values.dtype.itemsize:
            fields.append((f"value{number}", values.dtype.newbyteorder(">").str))
            if _is_same(values):
                same[f"value{number}"] = values[0]
            else:
                different[f"value{number}"] = values
    # What is the same in all rows is written once and copied with the row, in a third of the time.
    row = np.empty(1, np.dtype(fields))
    for field, value in same.items():
        row[field] = value
    records: Records = np.repeat(row, group.num_rows)
    for field, values in different.items():
        records[field] = values
    return records


def _is_same(values: NDArray[Any]) -> bool:  # Any: see above
    """Whether all values are the same, byte by byte."""
    if values[:1].tobytes() != values[-1:].tobytes():
        return False
    raw = values.view(np.uint8).reshape(values.size, -1)
    return bool((raw == raw[:1]).all())


def _values(column: pa.Array) -> NDArray[Any] | None:  # Any: of the column's type
    """Values as the server reads them, but for the order of their bytes; None where all are null.

    Of a group of one layout all are null, or none is.
    """
    values: NDArray[Any]
    if column.null_count:
        return None
    if pa.types.is_string(column.type):
        return _fixed_width(column)
    if pa.types.is_date32(column.type):
        values = column.cast(pa.int32()).to_numpy() - np.int32(_EPOCH_DAY)
        return values
    if pa.types.is_timestamp(column.type):
        values = column.cast(pa.int64()).to_numpy() - _EPOCH_DAY * _DAY_US
        return values
    values = column.to_numpy()
    return values


def _fixed_width(column: pa.Array) -> NDArray[np.void]:
    """Strings of one length as records of that many bytes; they lie one after the other in Arrow's buffer."""
    _, offsets, data = column.buffers()
    begin, end = np.frombuffer(offsets, np.int32)[[column.offset, column.offset + len(column)]]
    if begin == end:
        return np.empty(len(column), "V0")
    characters = np.frombuffer(data, np.uint8)[begin:end]
    return characters.view(f"V{(end - begin) // len(column)}")
