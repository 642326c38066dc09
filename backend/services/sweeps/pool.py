"""Who computes the batches of a laptop's sweep: a pool of processes, or a Dask cluster.

A worker that is killed takes the pool with it, as `concurrent.futures` has it: the pool is opened anew, and what was
not done is handed out again.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from multiprocessing import get_all_start_methods, get_context
from typing import TYPE_CHECKING

from backend.services.sweeps.computing import BatchDone, BatchOrder, CacheAddress, compute_batch
from backend.services.sweeps.means import SweepMeans

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import BaseContext

#: Pools that may break without a batch done in between; then it is the batch that kills them.
_MOST_BREAKS = 3


async def computed(
    means: SweepMeans, orders: Sequence[BatchOrder], clock: Callable[[], dt.datetime]
) -> AsyncGenerator[BatchDone]:
    """Batches as they are done; the caller may stop between any two.

    Only as many are handed out as there are workers, and one more, so that a stop is soon.

    Raises
    ------
    BrokenExecutor
        If the workers die again and again.
    """
    hand = _Hand(waiting=deque(orders))
    while hand.waiting:
        async with aclosing(_until_broken(_opened(means), means, hand, clock)) as batches:
            async for done in batches:
                yield done


@dataclass(slots=True, kw_only=True)
class _Hand:
    """Batches that wait, and those that are handed out."""

    waiting: deque[BatchOrder]
    running: dict[asyncio.Future[BatchDone], BatchOrder] = field(default_factory=dict)
    n_breaks: int = 0

    def take_back(self) -> None:
        """Let what was handed out wait again, first in order."""
        self.waiting.extendleft(reversed(self.running.values()))
        self.running.clear()


async def _until_broken(
    executor: Executor, means: SweepMeans, hand: _Hand, clock: Callable[[], dt.datetime]
) -> AsyncGenerator[BatchDone]:
    address = CacheAddress(url=means.cache_url, local_copy=means.cache_local_copy)
    try:
        while hand.waiting or hand.running:
            while hand.waiting and len(hand.running) <= means.n_processes:
                future = asyncio.wrap_future(executor.submit(compute_batch, address, hand.waiting[0], clock()))
                hand.running[future] = hand.waiting.popleft()
            done, _ = await asyncio.wait(hand.running, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                result = future.result()  # raises what the worker raised, or that it is gone
                del hand.running[future]
                hand.n_breaks = 0
                yield result
    except BrokenExecutor:
        hand.n_breaks += 1
        if hand.n_breaks >= _MOST_BREAKS:
            raise
        hand.take_back()
    finally:
        for future in hand.running:
            future.cancel()
        executor.shutdown(wait=False)  # what runs ends by itself; nobody waits for it


def _opened(means: SweepMeans) -> Executor:
    if means.dask_scheduler is None:
        return ProcessPoolExecutor(means.n_processes, mp_context=_context())
    from distributed import Client  # noqa: PLC0415  optional: the extra "dask"

    executor: Executor = Client(means.dask_scheduler).get_executor()
    return executor


def _context() -> BaseContext:
    """Processes that share no locks of this one, where it can be forked from one that has imported everything."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([compute_batch.__module__])
    return context
