"""Tables of facts inside a manifest: corporate actions and members, which every reader of a panel needs.

Twenty years of a large universe are some hundred kilobytes, and cost less than one more request to S3. They are an
Arrow stream in base64; text columns are dictionaries, so that a reader gets codes and compares no strings.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aws.manifest import Manifest
from aws.object_store import ObjectStore
from aws.s3_cache import read_table

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def inlined(table: pa.Table) -> str:
    """A table as a manifest holds it; equal tables give equal text."""
    import pyarrow as pa  # noqa: PLC0415  cold start

    coded = _coded(table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, coded.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(coded)
    return base64.b64encode(sink.getvalue()).decode()


async def read_facts(store: ObjectStore, manifest: Manifest, name: str) -> pa.Table:
    """A table of a snapshot, text columns as dictionaries; where the manifest is of version 1, it is in the cache."""
    text = manifest.tables[name]
    if text.startswith("objects/"):
        return _coded(await read_table(store, text))
    # In a thread, also so that requests that wait for their turn are sent before.
    return await asyncio.to_thread(_decoded, text)


# The manifests that are remembered (`aws.snapshots`) hold these very texts: two tables each.
@lru_cache(maxsize=8)
def _decoded(text: str) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415  cold start

    # Handing a few columns to a pool of threads takes longer than decoding them.
    options = pa.ipc.IpcReadOptions(use_threads=False)
    return pa.ipc.open_stream(base64.b64decode(text), options=options).read_all()


def _coded(table: pa.Table) -> pa.Table:
    """The table with dictionaries for its text columns."""
    import pyarrow as pa  # noqa: PLC0415  cold start

    columns = [
        column.combine_chunks().dictionary_encode() if column.type == pa.string() else column
        for column in table.combine_chunks().columns
    ]
    return pa.table(columns, names=table.column_names)


def numbers_of(column: pa.ChunkedArray) -> NDArray[Any]:  # Any: float64, or int32 of dates, days since 1970-01-01
    """Values of a column of numbers or dates; undefined where `is_given` is false.

    Straight from Arrow's memory: pyarrow's own conversion imports pandas, 294 modules and 70 MB.
    """
    import numpy as np  # noqa: PLC0415  cold start
    import pyarrow as pa  # noqa: PLC0415  cold start

    values = column.combine_chunks()
    dtype = np.float64 if values.type == pa.float64() else np.int32
    if not len(values):
        return np.empty(0, dtype=dtype)
    return np.frombuffer(values.buffers()[1], dtype=dtype)[values.offset : values.offset + len(values)]


def is_given(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Whether there is a value in each row."""
    import numpy as np  # noqa: PLC0415  cold start

    values = column.combine_chunks()
    if not values.null_count:
        return np.ones(len(values), dtype=np.bool_)
    bits = np.unpackbits(np.frombuffer(values.buffers()[0], dtype=np.uint8), bitorder="little")
    return bits[values.offset : values.offset + len(values)].astype(np.bool_)


def texts_of(column: pa.ChunkedArray) -> list[str]:
    """Text of each row; pyarrow's own conversion makes a scalar of each, and takes fifteen times as long."""
    import pyarrow as pa  # noqa: PLC0415  cold start

    coded = column.combine_chunks()
    texts: list[str] = coded.dictionary.to_pylist()
    return [texts[place] for place in numbers_of(pa.chunked_array([coded.indices])).tolist()]


def places_of(column: pa.ChunkedArray, place_of: Mapping[str, int]) -> NDArray[np.intp]:
    """Place of each row's text, -1 where it has none."""
    import numpy as np  # noqa: PLC0415  cold start
    import pyarrow as pa  # noqa: PLC0415  cold start

    coded = column.combine_chunks()
    # One more, so that a table without rows, and so without texts, can be indexed, too.
    places = np.array([*(place_of.get(text, -1) for text in coded.dictionary.to_pylist()), -1], dtype=np.intp)
    found: NDArray[np.intp] = places[numbers_of(pa.chunked_array([coded.indices]))]
    return found
