"""What a process keeps is loaded once, however many ask, and never takes more memory than it may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from backend.services.loaded_once import LoadedOnce


class Shelf:
    """Loads of bytes, counted; each waits until it is let go."""

    def __init__(self, most_bytes: int = 100) -> None:
        self.kept: LoadedOnce[bytearray] = LoadedOnce(most_bytes=most_bytes, n_bytes=len)
        self.loads: list[str] = []
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.failure: Exception | None = None

    def load(self, key: str, size: int) -> Callable[[], Coroutine[None, None, bytearray]]:
        async def loaded() -> bytearray:
            self.loads.append(key)
            self.begun.put_nowait(key)
            await self.gate.wait()
            if self.failure is not None:
                raise self.failure
            return bytearray(size)

        return loaded

    async def get(self, key: str, size: int = 40) -> bytearray:
        return await self.kept.get(key, self.load(key, size))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def started(shelf: Shelf, *keys: str) -> list[asyncio.Task[bytearray]]:
    """Requests that wait for their load."""
    tasks = [asyncio.create_task(shelf.get(key)) for key in keys]
    for _ in set(keys):
        await shelf.begun.get()
    return tasks


async def test_many_that_ask_at_once_wait_for_one_load_and_get_one_value(shelf: Shelf) -> None:
    waiting = await started(shelf, *["a"] * 20)
    shelf.gate.set()
    found = await asyncio.gather(*waiting)
    assert shelf.loads == ["a"]
    assert all(value is found[0] for value in found)
    assert await shelf.get("a") is found[0]
    assert shelf.loads == ["a"]


async def test_another_key_is_loaded_beside_it(shelf: Shelf) -> None:
    waiting = await started(shelf, "a", "b", "a")
    shelf.gate.set()
    first, other, again = await asyncio.gather(*waiting)
    assert shelf.loads == ["a", "b"]
    assert first is again
    assert first is not other


async def test_a_failure_is_everybodys_who_waits_and_the_next_to_ask_tries_again(shelf: Shelf) -> None:
    shelf.failure = OSError("the store is away")
    waiting = await started(shelf, "a", "a")
    shelf.gate.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert found == [shelf.failure, shelf.failure]
    shelf.failure = None
    assert len(await shelf.get("a")) == 40
    assert shelf.loads == ["a", "a"]


async def test_a_load_goes_on_for_the_others_when_who_asked_first_is_gone(shelf: Shelf) -> None:
    first, other = await started(shelf, "a", "a")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    shelf.gate.set()
    assert len(await other) == 40
    assert shelf.loads == ["a"]


async def test_what_was_asked_for_least_recently_goes_first(shelf: Shelf) -> None:
    shelf.gate.set()
    for key in ("a", "b", "a", "c"):  # 120 bytes of at most 100: b goes, since a was asked for after it
        await shelf.get(key)
    assert shelf.loads == ["a", "b", "c"]
    for key in ("a", "c", "b"):
        await shelf.get(key)
    assert shelf.loads == ["a", "b", "c", "b"]


async def test_what_is_too_large_by_itself_is_handed_out_and_displaces_nothing(shelf: Shelf) -> None:
    shelf.gate.set()
    await shelf.get("a")
    assert len(await shelf.get("large", 101)) == 101
    await shelf.get("a")
    await shelf.get("large", 101)
    assert shelf.loads == ["a", "large", "large"]


async def test_a_value_that_grew_is_counted_at_its_new_size(shelf: Shelf) -> None:
    shelf.gate.set()
    first = await shelf.get("a")
    await shelf.get("b")
    first.extend(bytes(30))  # 110 bytes of at most 100
    await shelf.get("b")
    await shelf.get("a")
    assert shelf.loads == ["a", "b", "a"]
