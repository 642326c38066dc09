"""Columns of blocks, from the cache straight into arrays.

1. What the local copy keeps is read from there.
2. Chunks that lie side by side in an object are fetched by one request.
3. Each is verified against its hash, decoded, and copied to where its values belong.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from aws.errors import CorruptObjectError
from aws.gathering import gathered
from aws.manifest import Chunk
from aws.object_store import ObjectStore
from aws.pages import decode_pages

if TYPE_CHECKING:
    from aws.kept_values import KeptValues

T = TypeVar("T")

#: Requests at once.
_CONCURRENCY = 16
#: Most bytes of one request: what came first is decoded while the rest is on its way, and S3 serves parts side by side.
_MOST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRead:
    """A chunk, and where its values go.

    Parameters
    ----------
    key : str
        Of the object.
    chunk : Chunk
    shape : tuple of int
        (n_sessions, n_tickers) of the chunk.
    rows : slice
        Its sessions that are wanted.
    columns : ndarray of shape (n_tickers,) or None
        Columns of `out` that its tickers have; None when they are all of them.
    out : ndarray of shape (n_wanted_sessions, n_columns)
        Written in place; other columns stay as they are.
    """

    key: str
    chunk: Chunk
    shape: tuple[int, int]
    rows: slice
    columns: NDArray[np.intp] | None
    out: NDArray[np.float64]

    @property
    def is_whole(self) -> bool:
        """Whether the values are `out`, neither more nor fewer."""
        return self.columns is None and self.out.shape == self.shape and self.out.flags.c_contiguous

    def place(self, values: NDArray[np.float64]) -> None:
        """Copy the wanted ones of the chunk's values to where they go."""
        wanted = values.reshape(self.shape)[self.rows]
        if self.columns is None:
            self.out[...] = wanted
        else:
            self.out[:, self.columns] = wanted


async def read_chunks(store: ObjectStore, reads: Sequence[ChunkRead]) -> None:
    """Carry out all reads.

    Raises
    ------
    ObjectNotFoundError, CorruptObjectError, StoreUnavailableError
        If an object is gone, its bytes are not what the manifest says, or the store does not answer. Nothing is still
        running then.
    """
    kept = store.kept_values()
    missing = reads if kept is None else await _missing(kept, reads)
    gate = asyncio.Semaphore(_CONCURRENCY)
    await gathered(*(_fetch(store, group, kept, gate) for group in grouped(missing)))


def grouped(reads: Sequence[ChunkRead]) -> list[list[ChunkRead]]:
    """The reads that one request can serve together: neighbours in an object, up to a size."""
    ordered = sorted(reads, key=lambda read: (read.key, read.chunk.offset))
    groups = [ordered[:1]] if ordered else []
    for before, read in pairwise(ordered):
        is_next = read.key == before.key and read.chunk.offset == before.chunk.stop
        if is_next and read.chunk.stop - groups[-1][0].chunk.offset <= _MOST_BYTES:
            groups[-1].append(read)
        else:
            groups.append([read])
    return groups


async def _fetch(store: ObjectStore, group: list[ChunkRead], kept: KeptValues | None, gate: asyncio.Semaphore) -> None:
    start, stop = group[0].chunk.offset, group[-1].chunk.stop
    async with gate:
        data = memoryview(await store.get(group[0].key, start=start, length=stop - start))
    await _in_two_threads(lambda read: _decode(read, data[read.chunk.offset - start :], kept), group)


async def _in_two_threads(work: Callable[[ChunkRead], T], reads: Sequence[ChunkRead]) -> list[T]:
    """What `work` gives for each read, in order; a thread for every one would cost more than it saves."""
    halves = await gathered(
        *(asyncio.to_thread(lambda part: [work(read) for read in part], reads[begin::2]) for begin in range(2))
    )
    found: list[T] = [result for pair in zip_longest(*halves) for result in pair]
    return found[: len(reads)]


def _decode(read: ChunkRead, data: memoryview, kept: KeptValues | None) -> None:
    packed = data[: read.chunk.length]
    found = hashlib.sha256(packed).hexdigest()
    if found != read.chunk.sha256:
        raise CorruptObjectError(read.key, read.chunk.sha256, found)
    values = decode_pages(packed)
    read.place(values)
    if kept is not None:
        kept.keep(read.chunk.sha256, values)


async def _missing(kept: KeptValues, reads: Sequence[ChunkRead]) -> list[ChunkRead]:
    """What is not kept; the rest has been read."""
    was_kept = await _in_two_threads(lambda read: _was_kept(kept, read), reads)
    return [read for read, was in zip(reads, was_kept, strict=True) if not was]


def _was_kept(kept: KeptValues, read: ChunkRead) -> bool:
    if read.is_whole:
        return kept.read_into(read.chunk.sha256, read.out)
    values = np.empty(read.shape)
    if not kept.read_into(read.chunk.sha256, values):
        return False
    read.place(values)
    return True
