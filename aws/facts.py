"""Tables of facts inside a manifest: corporate actions and members, which every reader of a panel needs.

Some ten thousand rows are a hundred kilobytes, less than one more request to S3 costs. They are an Arrow stream in
base64; text columns are dictionaries, so that a reader gets codes and compares no strings.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from aws.manifest import Manifest
from aws.object_store import ObjectStore
from aws.s3_cache import read_table

if TYPE_CHECKING:
    import pyarrow as pa


def inlined(table: pa.Table) -> str:
    """A table as a manifest holds it; equal tables give equal text."""
    import pyarrow as pa  # noqa: PLC0415  cold start

    columns = [
        column.combine_chunks().dictionary_encode() if column.type == pa.string() else column
        for column in table.combine_chunks().columns
    ]
    coded = pa.table(columns, names=table.column_names)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, coded.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(coded)
    return base64.b64encode(sink.getvalue()).decode()


async def read_facts(store: ObjectStore, manifest: Manifest, name: str) -> pa.Table:
    """A table of a snapshot, text columns as dictionaries; where the manifest is of version 1, it is in the cache."""
    import pyarrow as pa  # noqa: PLC0415  cold start

    text = manifest.tables[name]
    if not text.startswith("objects/"):
        # Handing a few columns to a pool of threads takes longer than decoding them.
        options = pa.ipc.IpcReadOptions(use_threads=False)
        return pa.ipc.open_stream(base64.b64decode(text), options=options).read_all()
    table = await read_table(store, text)
    for number, column in enumerate(table.columns):
        if column.type == pa.string():
            table = table.set_column(number, table.column_names[number], column.combine_chunks().dictionary_encode())
    return table
