"""Stores that count, or break, for tests."""

from __future__ import annotations

from collections.abc import Mapping

from aws.errors import ObjectNotFoundError, RefConflictError
from aws.object_store import Ref


class MemoryStore:
    """A store in memory that remembers what was read and written."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.reads: list[tuple[str, int | None, int | None]] = []
        self.writes: list[str] = []

    async def get(self, key: str, *, start: int | None = None, length: int | None = None) -> bytes:
        self.reads.append((key, start, length))
        if key not in self.objects:
            raise ObjectNotFoundError(key)
        begin = start or 0
        return self.objects[key][begin : None if length is None else begin + length]

    def kept_values(self) -> None:
        return

    async def put(self, key: str, data: bytes) -> None:
        if key not in self.objects:
            self.objects[key] = data
            self.writes.append(key)

    async def put_all(self, objects: Mapping[str, bytes]) -> None:
        for key, data in objects.items():
            await self.put(key, data)

    async def exists(self, key: str) -> bool:
        return key in self.objects

    async def read_ref(self, key: str) -> Ref | None:
        data = self.objects.get(key)
        return Ref(data=data, version=str(hash(data))) if data is not None else None

    async def swap_ref(self, key: str, data: bytes, *, expected: str | None) -> None:
        found = await self.read_ref(key)
        if (found.version if found else None) != expected:
            raise RefConflictError(key)
        self.objects[key] = data
        self.writes.append(key)

    async def check(self) -> None:
        return
