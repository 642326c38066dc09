"""Dense blocks: one column of a span of sessions of a universe as one Parquet object, of which chunks can be read.

The object is in long form (ticker, date and the value), every session x every ticker, sorted by (date, ticker), NaN
where there is no bar, so any Parquet reader can open it. A page of values holds a whole number of sessions, and the
manifest knows where each page is: ours fetches the pages it wants and decodes them by themselves. It needs neither the
footer nor the labels, which take hardly any room.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from aws.manifest import Chunk, Column, Span
from aws.object_store import ObjectStore
from aws.pages import pages
from aws.s3_cache import write_object

#: About a trading year.
SESSIONS_PER_CHUNK = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlocks:
    """The blocks of one span in the cache: number of sessions, tickers, and the columns."""

    n_sessions: int
    tickers: tuple[str, ...]
    columns: Mapping[str, Column]


async def store_blocks(
    store: ObjectStore, sessions: Sequence[dt.date], tickers: Sequence[str], values: Mapping[str, NDArray[np.float64]]
) -> StoredBlocks:
    """Write a block for each column of a span to the cache; parameters as of `encode_block`."""
    columns = {}
    for name, matrix in values.items():
        data, chunks = await asyncio.to_thread(encode_block, sessions, tickers, name, matrix)
        columns[name] = Column(object=await write_object(store, data), chunks=chunks)
    return StoredBlocks(n_sessions=len(sessions), tickers=tuple(tickers), columns=columns)


def joined_spans(spans: Sequence[StoredBlocks]) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    """Tickers of the snapshot that the spans make up, oldest first, and the spans as its manifest has them."""
    tickers = tuple(sorted({ticker for span in spans for ticker in span.tickers}))
    place_of = {ticker: place for place, ticker in enumerate(tickers)}
    return tickers, tuple(
        Span(
            n_sessions=span.n_sessions,
            sessions_per_chunk=SESSIONS_PER_CHUNK,
            tickers=None if span.tickers == tickers else tuple(place_of[ticker] for ticker in span.tickers),
            columns=span.columns,
        )
        for span in spans
    )


def encode_block(
    sessions: Sequence[dt.date],
    tickers: Sequence[str],
    name: str,
    values: NDArray[np.float64],
    *,
    sessions_per_chunk: int = SESSIONS_PER_CHUNK,
) -> tuple[bytes, tuple[Chunk, ...]]:
    """Bytes of a block, and its chunks; equal input gives equal bytes.

    Parameters
    ----------
    sessions, tickers : sequences
        Both sorted, neither empty.
    name : str
        Of the column.
    values : ndarray of shape (n_sessions, n_tickers)
        NaN: no bar, or no such field at the source.
    sessions_per_chunk : int
        Sessions in each chunk; the last one may have fewer.
    """
    n_sessions, n_tickers = values.shape
    labels = pa.DictionaryArray.from_arrays(np.tile(np.arange(n_tickers, dtype=np.int32), n_sessions), list(tickers))
    dates = pa.array(np.repeat(np.array(sessions, dtype="datetime64[D]"), n_tickers))
    columns = {"ticker": labels, "date": dates, name: pa.array(values.ravel())}
    schema = pa.schema([pa.field(label, column.type, nullable=False) for label, column in columns.items()])
    sink = io.BytesIO()
    pq.write_table(
        pa.table(list(columns.values()), schema=schema),
        sink,
        row_group_size=n_sessions * n_tickers,
        # Labels repeat and shrink to nothing; prices hardly do, and plain LZ4 decodes fastest.
        use_dictionary=["ticker", "date"],
        compression={label: "lz4" if label == name else "zstd" for label in columns},
        write_statistics=["ticker", "date"],
        # A page ends with a chunk, never before.
        max_rows_per_page=sessions_per_chunk * n_tickers,
        write_batch_size=sessions_per_chunk * n_tickers,
        data_page_size=1 << 30,
        store_schema=False,
    )
    data = sink.getvalue()
    return data, _chunks(data, n_expected=-(-n_sessions // sessions_per_chunk))


def _chunks(data: bytes, *, n_expected: int) -> tuple[Chunk, ...]:
    place = pq.read_metadata(io.BytesIO(data)).row_group(0).column(2)
    start, stop = place.data_page_offset, place.data_page_offset + place.total_compressed_size
    found = tuple(_chunk(data, page.start, page.stop) for page in pages(data, start, stop))
    if len(found) != n_expected:
        raise ValueError(f"pyarrow wrote {len(found)} pages where {n_expected} were asked for")
    return found


def _chunk(data: bytes, start: int, stop: int) -> Chunk:
    return Chunk(offset=start, length=stop - start, sha256=hashlib.sha256(memoryview(data)[start:stop]).hexdigest())
