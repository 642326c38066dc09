"""Values that a process keeps in memory: each is loaded once, however many ask, and the oldest go when it is too much.

Nothing that is kept is ever stale: a key names everything that determines its value.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LoadedOnce(Generic[Value]):
    """The values asked for last, on one event loop.

    Parameters
    ----------
    most_bytes : int
        Of all that is kept; a value that is larger by itself is handed out and not kept.
    n_bytes : callable
        Memory of a value. Each look asks again, since a value may grow by what it remembers of itself.
    """

    def __init__(self, *, most_bytes: int, n_bytes: Callable[[Value], int]) -> None:
        self._most_bytes, self._n_bytes = most_bytes, n_bytes
        self._kept: dict[Hashable, Value] = {}  # what was asked for last is last
        self._loading: dict[Hashable, asyncio.Task[Value]] = {}

    async def get(self, key: Hashable, load: Callable[[], Coroutine[None, None, Value]]) -> Value:
        """The value of a key; who asks while it is loaded waits for that load, and raises what it raises.

        A load goes on when who waits for it is cancelled. One that failed is not kept: the next to ask tries again.
        """
        if key in self._kept:
            value = self._kept.pop(key)
            self._keep(key, value)
            return value
        if key not in self._loading:
            self._loading[key] = asyncio.create_task(self._loaded(key, load))
            self._loading[key].add_done_callback(_look_at)
        return await asyncio.shield(self._loading[key])

    async def _loaded(self, key: Hashable, load: Callable[[], Coroutine[None, None, Value]]) -> Value:
        try:
            value = await load()
        finally:
            del self._loading[key]
        self._keep(key, value)
        return value

    def _keep(self, key: Hashable, value: Value) -> None:
        if self._n_bytes(value) > self._most_bytes:
            return
        self._kept[key] = value
        sizes = {key: self._n_bytes(kept) for key, kept in self._kept.items()}
        while sum(sizes.values()) > self._most_bytes:
            oldest = next(iter(self._kept))
            del self._kept[oldest], sizes[oldest]


def _look_at(task: asyncio.Task[Value]) -> None:
    """Take note of a failure: where everybody who waited is gone, nobody else does, and asyncio would complain."""
    if not task.cancelled():
        task.exception()
