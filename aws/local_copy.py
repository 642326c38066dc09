"""What was read once from S3, kept on the local disk: objects never change, so they need not be asked for again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from aws.errors import ObjectNotFoundError, StoreUnavailableError
from aws.folder_cache import FolderCache
from aws.object_store import ObjectStore, Ref

#: A Lambda has 512 MB of disk by default.
MAX_BYTES = 400_000_000
_IMMUTABLE = ("objects/", "snapshots/")


class LocalCopy:
    """An `ObjectStore` in front of a slower one; refs are always asked for anew.

    Each part carries the hash of its bytes, so a damaged file is fetched again, and a disk that is full or gone costs
    time, not answers. The oldest parts make room for new ones.
    """

    def __init__(self, remote: ObjectStore, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._remote = remote
        self._folder = folder
        self._local = FolderCache(folder)
        self._max_bytes = max_bytes

    async def get(self, key: str, *, start: int | None = None, length: int | None = None) -> bytes:
        """The local part if there is one, else the remote one, which is kept."""
        if not key.startswith(_IMMUTABLE):
            return await self._remote.get(key, start=start, length=length)
        part = f"{key}/{start or 0}-{'' if length is None else length}"
        kept = await self._kept(part)
        if kept is None:
            kept = await self._remote.get(key, start=start, length=length)
            await self._keep(part, kept)
        return kept

    async def put(self, key: str, data: bytes) -> None:
        """Write to the remote store."""
        await self._remote.put(key, data)

    async def exists(self, key: str) -> bool:
        """Ask the remote store."""
        return await self._remote.exists(key)

    async def read_ref(self, key: str) -> Ref | None:
        """Ask the remote store."""
        return await self._remote.read_ref(key)

    async def swap_ref(self, key: str, data: bytes, *, expected: str | None) -> None:
        """Swap in the remote store."""
        await self._remote.swap_ref(key, data, expected=expected)

    async def check(self) -> None:
        """Check the remote store."""
        await self._remote.check()

    async def _kept(self, part: str) -> bytes | None:
        try:
            data = await self._local.get(part)
        except (ObjectNotFoundError, StoreUnavailableError):
            return None
        digest, body = data[:32], data[32:]
        if hashlib.sha256(body).digest() == digest:
            return body
        await asyncio.to_thread((self._folder / part).unlink, missing_ok=True)
        return None

    async def _keep(self, part: str, data: bytes) -> None:
        if len(data) > self._max_bytes:
            return
        await self._attempt(lambda: asyncio.to_thread(self._make_room, len(data)))
        await self._attempt(lambda: self._local.put(part, hashlib.sha256(data).digest() + data))

    async def _attempt(self, step: Callable[[], Awaitable[None]]) -> None:
        try:
            await step()
        except (StoreUnavailableError, OSError):
            return  # the disk is full or gone: the next read asks S3 again

    def _make_room(self, needed: int) -> None:
        if not self._folder.exists():
            return
        found = [(path.stat(), path) for path in self._folder.rglob("*") if path.is_file()]
        excess = sum(stat.st_size for stat, _ in found) + needed - self._max_bytes
        for stat, path in sorted(found, key=lambda item: item[0].st_mtime_ns):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= stat.st_size
