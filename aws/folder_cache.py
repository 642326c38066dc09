"""The cache in a local folder: the same layout as in S3, read and written with aiofiles."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import aiofiles

from aws.errors import ObjectNotFoundError, RefConflictError, StoreUnavailableError
from aws.object_store import Ref, checked_key


class FolderCache:
    """Objects are files; a file appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def get(self, key: str, *, start: int | None = None, length: int | None = None) -> bytes:
        """Bytes of a file, or a range of them."""
        try:
            async with aiofiles.open(self._root / checked_key(key), "rb") as file:
                await file.seek(start or 0)
                return await file.read(-1 if length is None else length)
        except FileNotFoundError as error:
            raise ObjectNotFoundError(key) from error
        except OSError as error:
            raise StoreUnavailableError(str(self._root), str(error)) from error

    async def put(self, key: str, data: bytes) -> None:
        """Write a file unless it is there."""
        if not await self.exists(key):
            await self._write(key, data)

    async def exists(self, key: str) -> bool:
        """Whether the file is there."""
        return await asyncio.to_thread((self._root / checked_key(key)).is_file)

    async def read_ref(self, key: str) -> Ref | None:
        """A ref; its version is the hash of its content."""
        try:
            data = await self.get(key)
        except ObjectNotFoundError:
            return None
        return Ref(data=data, version=hashlib.sha256(data).hexdigest())

    async def swap_ref(self, key: str, data: bytes, *, expected: str | None) -> None:
        """Compare and swap under a lock file that other processes respect."""
        with _wrapped_os_errors(self._root):
            self._root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            await asyncio.to_thread(fcntl.flock, descriptor, fcntl.LOCK_EX)
            found = await self.read_ref(key)
            if (found.version if found else None) != expected:
                raise RefConflictError(key)
            await self._write(key, data)
        finally:
            os.close(descriptor)  # gives the lock back

    async def check(self) -> None:
        """The folder can be made and written."""
        with _wrapped_os_errors(self._root):
            await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)
            if not os.access(self._root, os.W_OK):
                raise StoreUnavailableError(str(self._root), "not writable")

    async def _write(self, key: str, data: bytes) -> None:
        path = self._root / checked_key(key)
        draft = path.with_name(f".{path.name}.{uuid4().hex}")
        with _wrapped_os_errors(self._root):
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            try:
                async with aiofiles.open(draft, "wb") as file:
                    await file.write(data)
                    await file.flush()
                    await asyncio.to_thread(os.fsync, file.fileno())
                await asyncio.to_thread(draft.replace, path)
            finally:
                await asyncio.to_thread(draft.unlink, missing_ok=True)


@contextmanager
def _wrapped_os_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailableError(str(root), str(error)) from error
