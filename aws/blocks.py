"""Dense blocks: one span of sessions of a universe as one Parquet object, of which single columns can be read.

The object is in long form, every session x every ticker, sorted by (date, ticker), NaN where there is no bar, so any
Parquet reader can open it. Ours knows the shape and the byte range of every column from the manifest: it fetches the
footer and the columns it wants, and reshapes the values without ever decoding the labels.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from aws.snapshots import ColumnRange

FOOTER = "footer"
#: Length of the footer's own length and of the magic number that end every Parquet file.
_TAIL = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLayout:
    """Size of an object, and where its footer and each value column are."""

    size: int
    ranges: Mapping[str, ColumnRange]


def encode_block(
    sessions: Sequence[dt.date], tickers: Sequence[str], values: Mapping[str, NDArray[np.float64]]
) -> tuple[bytes, BlockLayout]:
    """Bytes of a block and its layout; equal input gives equal bytes.

    Parameters
    ----------
    sessions, tickers : sequences
        Both sorted.
    values : mapping of column name to ndarray of shape (n_sessions, n_tickers)
        NaN: no bar, or no such field at the source.
    """
    n_sessions, n_tickers = len(sessions), len(tickers)
    labels = pa.DictionaryArray.from_arrays(np.tile(np.arange(n_tickers, dtype=np.int32), n_sessions), list(tickers))
    columns = {"ticker": labels, "date": pa.array(np.repeat(np.array(sessions, dtype="datetime64[D]"), n_tickers))}
    columns |= {name: pa.array(array.ravel()) for name, array in values.items()}
    schema = pa.schema([pa.field(name, column.type, nullable=False) for name, column in columns.items()])
    sink = io.BytesIO()
    pq.write_table(
        pa.table(list(columns.values()), schema=schema),
        sink,
        row_group_size=max(n_sessions * n_tickers, 1),
        # Labels repeat and shrink to nothing; prices hardly do, and plain LZ4 decodes fastest.
        use_dictionary=["ticker", "date"],
        compression={name: "zstd" if name in ("ticker", "date") else "lz4" for name in columns},
        write_statistics=["ticker", "date"],
        data_page_size=1 << 26,
        store_schema=False,
    )
    data = sink.getvalue()
    return data, _layout(data, tuple(values))


def decode_columns(
    layout: BlockLayout, fetched: Mapping[str, bytes], names: Sequence[str], shape: tuple[int, int]
) -> dict[str, NDArray[np.float64]]:
    """Columns of a block from its footer and their own bytes, each of the given shape (n_sessions, n_tickers).

    `fetched` holds the bytes of the range `FOOTER` and of every range in `names`, already verified.
    """
    source = _SparseFile(layout.size, [(layout.ranges[name].offset, data) for name, data in fetched.items()])
    table = pq.ParquetFile(source, pre_buffer=False).read(columns=list(names), use_threads=False)
    return {name: table.column(name).chunk(0).to_numpy().reshape(shape) for name in names}


def _layout(data: bytes, names: tuple[str, ...]) -> BlockLayout:
    metadata = pq.read_metadata(io.BytesIO(data))
    group = metadata.row_group(0)
    places = {group.column(number).path_in_schema: group.column(number) for number in range(group.num_columns)}
    footer_length = int.from_bytes(data[-_TAIL:-4], "little") + _TAIL
    ranges = {FOOTER: _range(data, len(data) - footer_length, footer_length)}
    for name in names:
        ranges[name] = _range(data, places[name].data_page_offset, places[name].total_compressed_size)
    return BlockLayout(size=len(data), ranges=ranges)


def _range(data: bytes, offset: int, length: int) -> ColumnRange:
    return ColumnRange(offset=offset, length=length, sha256=hashlib.sha256(data[offset : offset + length]).hexdigest())


class _SparseFile(io.RawIOBase):
    """A file of which only some ranges are there; reading anywhere else is an error of ours."""

    def __init__(self, size: int, parts: Sequence[tuple[int, bytes]]) -> None:
        super().__init__()
        self._size = size
        self._parts = parts
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        stop = self._size if size < 0 else min(self._position + size, self._size)
        begin, self._position = self._position, stop
        for offset, data in self._parts:
            if offset <= begin and stop <= offset + len(data):
                return data[begin - offset : stop - offset]
            if begin < offset and stop == self._size == offset + len(data):
                # The reader guesses how long the footer is and asks for more; it uses none of what comes before it.
                return bytes(offset - begin) + data
        raise ValueError(f"bytes {begin} to {stop} of the block were not fetched")
