"""Dense blocks: what goes in comes out, by our reader and by any other."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from aws.blocks import FOOTER, BlockLayout, decode_columns, encode_block

Matrix = NDArray[np.float64]


def labels(shape: tuple[int, ...]) -> tuple[list[dt.date], list[str]]:
    sessions = [dt.date(2020, 1, 1) + dt.timedelta(days=number) for number in range(shape[0])]
    return sessions, [f"T{number:04d}" for number in range(shape[1])]


def fetched(data: bytes, layout: BlockLayout, names: list[str]) -> dict[str, bytes]:
    ranges = layout.ranges
    return {name: data[ranges[name].offset : ranges[name].offset + ranges[name].length] for name in (FOOTER, *names)}


@given(
    matrix=arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, max_side=40),
        elements=st.floats(allow_infinity=False, width=64),
    )
)
@settings(deadline=None, max_examples=50)
def test_every_bit_of_a_column_survives(matrix: Matrix) -> None:
    sessions, tickers = labels(matrix.shape)
    data, layout = encode_block(sessions, tickers, {"open": matrix[::-1].copy(), "close": matrix})
    found = decode_columns(layout, fetched(data, layout, ["close"]), ["close"], matrix.shape)
    np.testing.assert_array_equal(found["close"], matrix)


def test_a_block_larger_than_one_page_survives() -> None:
    matrix = np.random.default_rng(0).normal(size=(1300, 600))
    sessions, tickers = labels(matrix.shape)
    data, layout = encode_block(sessions, tickers, {"close": matrix, "volume": matrix * 2})
    found = decode_columns(layout, fetched(data, layout, ["volume"]), ["volume"], (1300, 600))
    np.testing.assert_array_equal(found["volume"], matrix * 2)


def test_any_parquet_reader_sees_dense_rows_sorted_by_date_and_ticker() -> None:
    sessions, tickers = labels((2, 3))
    data, _ = encode_block(sessions, tickers, {"close": np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 6.0]])})
    table = pq.read_table(pa.BufferReader(data))
    assert table.column("ticker").to_pylist() == ["T0000", "T0001", "T0002"] * 2
    assert table.column("date").to_pylist() == [sessions[0]] * 3 + [sessions[1]] * 3
    np.testing.assert_array_equal(table.column("close").to_numpy(), [1.0, np.nan, 3.0, 4.0, 5.0, 6.0])


def test_equal_input_gives_equal_bytes() -> None:
    sessions, tickers = labels((5, 4))
    values = {"close": np.arange(20.0).reshape(5, 4)}
    assert encode_block(sessions, tickers, values)[0] == encode_block(sessions, tickers, values)[0]


def test_a_column_that_was_not_fetched_is_never_made_up() -> None:
    matrix = np.random.default_rng(0).normal(size=(400, 300))
    sessions, tickers = labels(matrix.shape)
    data, layout = encode_block(sessions, tickers, {"open": matrix, "close": matrix, "volume": matrix})
    with pytest.raises(ValueError, match="were not fetched"):
        decode_columns(layout, fetched(data, layout, ["volume"]), ["open"], matrix.shape)
