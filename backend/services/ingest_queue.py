"""Batches in a row: while one is stored, the next is prepared and the one after that fetched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from backend.ingest.pipeline import TickerOutcome
from backend.services.ingest_batches import BatchWriter

#: Of each there may be some ten megabytes.
_UNDER_WAY = 2


@asynccontextmanager
async def storing(writer: BatchWriter) -> AsyncIterator[Callable[[Sequence[TickerOutcome]], Awaitable[None]]]:
    """A function that takes a batch to store while more is fetched.

    One batch is stored while the next is prepared: with the third the function waits, and on leaving for the last.
    Whatever ends the body, the batches that it took are still finished.
    """
    under_way: list[asyncio.Task[None]] = []

    async def stored(batch: Sequence[TickerOutcome], before: asyncio.Task[None] | None) -> None:
        prepared = await writer.prepared(batch)
        if before is not None:
            await before
        await writer.write(prepared)

    async def store(batch: Sequence[TickerOutcome]) -> None:
        if len(under_way) == _UNDER_WAY:
            await under_way[0]
            del under_way[0]
        before = under_way[-1] if under_way else None
        under_way.append(asyncio.create_task(stored(batch, before)))

    try:
        yield store
        for task in under_way:
            await task
    finally:
        await asyncio.gather(*under_way, return_exceptions=True)
