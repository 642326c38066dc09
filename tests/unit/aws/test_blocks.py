"""Dense blocks: what goes in comes out, by our reader and by any other."""

from __future__ import annotations

import datetime as dt
import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from aws.blocks import SESSIONS_PER_CHUNK, encode_block
from aws.manifest import Chunk
from aws.pages import decode_pages, pages

Matrix = NDArray[np.float64]


def labels(shape: tuple[int, ...]) -> tuple[list[dt.date], list[str]]:
    sessions = [dt.date(2020, 1, 1) + dt.timedelta(days=number) for number in range(shape[0])]
    return sessions, [f"T{number:04d}" for number in range(shape[1])]


def decoded(data: bytes, chunks: tuple[Chunk, ...]) -> Matrix:
    return np.concatenate([decode_pages(memoryview(data)[chunk.offset : chunk.stop]) for chunk in chunks])


@given(
    matrix=arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, max_side=40),
        elements=st.floats(allow_infinity=False, width=64),
    ),
    sessions_per_chunk=st.integers(1, 45),
)
@settings(deadline=None, max_examples=80)
def test_every_bit_survives_in_chunks_of_any_size(matrix: Matrix, sessions_per_chunk: int) -> None:
    data, chunks = encode_block(*labels(matrix.shape), "close", matrix, sessions_per_chunk=sessions_per_chunk)
    assert len(chunks) == -(-matrix.shape[0] // sessions_per_chunk)
    assert decoded(data, chunks).tobytes() == matrix.tobytes()


@pytest.mark.parametrize("shape", [(1, 1), (1, 600), (1300, 1), (SESSIONS_PER_CHUNK, 3), (SESSIONS_PER_CHUNK + 1, 600)])
def test_one_session_one_ticker_and_more_than_a_page_survive(shape: tuple[int, int]) -> None:
    matrix = np.random.default_rng(0).normal(size=shape)
    matrix[0, 0] = np.nan
    data, chunks = encode_block(*labels(shape), "volume", matrix)
    np.testing.assert_array_equal(decoded(data, chunks).reshape(shape), matrix)


def test_each_chunk_can_be_read_by_itself_and_verified() -> None:
    matrix = np.arange(10.0).reshape(5, 2)
    data, chunks = encode_block(*labels((5, 2)), "close", matrix, sessions_per_chunk=2)
    middle = data[chunks[1].offset : chunks[1].stop]
    assert hashlib.sha256(middle).hexdigest() == chunks[1].sha256
    assert decode_pages(memoryview(middle)).tolist() == [4.0, 5.0, 6.0, 7.0]
    assert [chunk.stop for chunk in chunks[:-1]] == [chunk.offset for chunk in chunks[1:]]


def test_any_parquet_reader_sees_dense_rows_sorted_by_date_and_ticker() -> None:
    sessions, tickers = labels((2, 3))
    values = np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 6.0]])
    data, _ = encode_block(sessions, tickers, "close", values, sessions_per_chunk=1)
    table = pq.read_table(pa.BufferReader(data))
    assert table.column_names == ["ticker", "date", "close"]
    assert table.column("ticker").to_pylist() == ["T0000", "T0001", "T0002"] * 2
    assert table.column("date").to_pylist() == [sessions[0]] * 3 + [sessions[1]] * 3
    np.testing.assert_array_equal(table.column("close").to_numpy(), [1.0, np.nan, 3.0, 4.0, 5.0, 6.0])


def test_the_labels_take_hardly_any_room() -> None:
    matrix = np.random.default_rng(0).normal(size=(500, 200))
    data, chunks = encode_block(*labels(matrix.shape), "close", matrix)
    assert len(data) - sum(chunk.length for chunk in chunks) < 0.02 * matrix.nbytes


def test_equal_input_gives_equal_bytes() -> None:
    values = np.arange(20.0).reshape(5, 4)
    assert encode_block(*labels((5, 4)), "close", values) == encode_block(*labels((5, 4)), "close", values.copy())


@pytest.mark.parametrize("start", [0, 4])
def test_what_is_no_page_of_ours_is_refused(start: int) -> None:
    data, chunks = encode_block(*labels((3, 2)), "close", np.ones((3, 2)))
    assert len(list(pages(data, chunks[0].offset, chunks[0].stop))) == 1
    # The magic number, and the dictionary of the tickers.
    with pytest.raises(ValueError, match="page"):
        list(pages(data, start, len(data)))


def test_a_page_that_is_cut_off_is_refused() -> None:
    data, (chunk,) = encode_block(*labels((3, 2)), "close", np.ones((3, 2)))
    with pytest.raises(ValueError, match="beyond"):
        list(pages(data, chunk.offset, chunk.stop - 1))
