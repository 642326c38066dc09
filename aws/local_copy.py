"""What was read once from S3, kept on the local disk: objects never change, so they need not be asked for again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aws.disk_budget import DiskBudget
from aws.errors import StoreUnavailableError
from aws.folder_cache import FolderCache
from aws.object_store import ObjectStore, Ref, checked_key

if TYPE_CHECKING:
    from aws.kept_values import KeptValues

#: A Lambda has 512 MB of disk by default.
MAX_BYTES = 400_000_000
#: Bytes of a SHA-256.
_DIGEST = 32
_IMMUTABLE = ("objects/", "snapshots/")


class LocalCopy:
    """An `ObjectStore` in front of a slower one; refs are always asked for anew.

    Whole objects are kept as they are, each with the hash of its bytes. Ranges are columns on their way to be decoded:
    what comes of them is kept instead (`kept_values`). A damaged file is fetched again, and a disk that is full or gone
    costs time, not answers.
    """

    def __init__(self, remote: ObjectStore, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._remote = remote
        self._folder = folder
        self._local = FolderCache(folder)
        self._budget = DiskBudget(folder, max_bytes)

    def kept_values(self) -> KeptValues | None:
        """Decoded columns on the local disk."""
        from aws.kept_values import KeptValues  # noqa: PLC0415  cold start: numpy

        return KeptValues(self._folder / "values", self._budget)

    async def get(self, key: str, *, start: int | None = None, length: int | None = None) -> bytes:
        """A range from the remote store; a whole object from here if it is here, else the remote one, which is kept."""
        if start is not None or length is not None or not key.startswith(_IMMUTABLE):
            return await self._remote.get(key, start=start, length=length)
        kept = await self._kept(key)
        if kept is None:
            kept = await self._remote.get(key)
            await self._keep(key, kept)
        return kept

    async def put(self, key: str, data: bytes) -> None:
        """Write to the remote store."""
        await self._remote.put(key, data)

    async def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Write to the remote store."""
        await self._remote.put_all(objects)

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

    async def _kept(self, key: str) -> bytes | None:
        """What is kept of an object; one call of one thread, since an asynchronous file takes four."""
        path = self._folder / checked_key(key)
        try:
            data = await asyncio.to_thread(path.read_bytes)
            digest, body = data[:_DIGEST], data[_DIGEST:]
            if hashlib.sha256(body).digest() == digest:
                return body
            await asyncio.to_thread(path.unlink)
        except OSError:
            return None  # not there, or not to be read: S3 has it
        return None

    async def _keep(self, key: str, data: bytes) -> None:
        digest = hashlib.sha256(data).digest()
        try:
            await asyncio.to_thread(self._budget.make_room, len(digest) + len(data))
            await self._local.put(key, digest + data)
        except (StoreUnavailableError, OSError):
            return  # the disk is full or gone: the next read asks S3 again
