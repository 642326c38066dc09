"""Bytes for COPY, read back field by field as PostgreSQL's manual describes them."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import AsyncIterator, Sequence

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from backend.database.binary_copy import Bytes, binary_copy, encoded, framed, with_moment

Cells = tuple[bytes | None, ...]

EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
MOMENTS = st.datetimes(timezones=st.just(dt.UTC))
ROWS = st.lists(
    st.tuples(
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=3),
        st.none() | st.floats(allow_nan=False),
        st.dates(),
        st.none() | MOMENTS,
        st.integers(-(2**31), 2**31 - 1),
    ),
    max_size=20,
)
SCHEMA = pa.schema(
    {"t": pa.string(), "f": pa.float64(), "d": pa.date32(), "m": pa.timestamp("us", "UTC"), "i": pa.int32()}
)


async def rows_of(table: pa.Table, json_columns: Sequence[str] = ()) -> list[Cells]:
    """The fields of each row as bytes, None where there is nothing."""
    return await cells_of(binary_copy(table, json_columns=json_columns))


async def cells_of(parts: AsyncIterator[Bytes]) -> list[Cells]:
    data = b"".join([part async for part in parts])
    assert data[:11] == b"PGCOPY\n\xff\r\n\0"
    position, rows = 19, []
    while (n_fields := struct.unpack_from(">h", data, position)[0]) != -1:
        position += 2
        cells: list[bytes | None] = []
        for _ in range(n_fields):
            (size,) = struct.unpack_from(">i", data, position)
            position += 4
            cells.append(None if size == -1 else data[position : position + size])
            position += max(size, 0)
        rows.append(tuple(cells))
    assert position + 2 == len(data)
    return rows


def as_cells(text: str, number: float | None, day: dt.date, moment: dt.datetime | None, whole: int) -> Cells:
    days = (day - EPOCH.date()).days
    microseconds = None if moment is None else (moment - EPOCH) // dt.timedelta(microseconds=1)
    return (
        text.encode(),
        None if number is None else struct.pack(">d", number),
        struct.pack(">i", days),
        None if microseconds is None else struct.pack(">q", microseconds),
        struct.pack(">i", whole),
    )


@given(rows=ROWS)
async def test_every_row_is_sent_once_as_the_server_reads_it(
    rows: list[tuple[str, float | None, dt.date, dt.datetime | None, int]],
) -> None:
    columns = [pa.array([row[number] for row in rows], field.type) for number, field in enumerate(SCHEMA)]
    found = await rows_of(pa.Table.from_arrays(columns, schema=SCHEMA))
    assert sorted(map(repr, found)) == sorted(repr(as_cells(*row)) for row in rows)


async def test_rows_of_one_layout_stay_in_their_order() -> None:
    table = pa.table({"t": ["b", "aa", "a", "bb", "c"]})
    assert [cell for (cell,) in await rows_of(table)] == [b"b", b"a", b"c", b"aa", b"bb"]


async def test_a_part_of_a_table_is_sent_without_the_rest() -> None:
    table = pa.concat_tables([pa.table({"t": ["one", "two", "six"]}), pa.table({"t": ["ten"]})])
    assert await rows_of(table.slice(1, 3)) == [(b"two",), (b"six",), (b"ten",)]


async def test_json_has_the_version_of_its_format_before_it() -> None:
    assert await rows_of(pa.table({"m": ["{}", '{"a": 1}']}), ["m"]) == [(b"\1{}",), (b'\1{"a": 1}',)]


@given(moment=MOMENTS)
async def test_rows_that_were_encoded_before_get_their_moment_when_they_are_sent(moment: dt.datetime) -> None:
    before = pa.array([EPOCH, EPOCH, EPOCH], pa.timestamp("us", "UTC"))
    rows = list(encoded(pa.table({"t": ["b", "aa", "c"], "m": before})))
    microseconds = struct.pack(">q", (moment - EPOCH) // dt.timedelta(microseconds=1))
    found = await cells_of(framed(with_moment(rows, moment)))
    assert found == [(text, microseconds) for text in (b"b", b"c", b"aa")]
