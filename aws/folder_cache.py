"""The cache in a local folder: the same layout as in S3."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
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

    def kept_values(self) -> None:
        """Nothing is nearer than a folder."""

    async def put(self, key: str, data: bytes) -> None:
        """Write a file unless it is there."""
        await self.put_all({key: data})

    async def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Write those files that are not there."""
        # One call of one thread: a file takes many short calls of the system, and several threads would hinder each
        # other, and whoever computes meanwhile, by asking for Python's lock after each.
        files = {self._root / checked_key(key): data for key, data in objects.items()}
        await asyncio.to_thread(self._put_all, files)

    async def exists(self, key: str) -> bool:
        """Whether the file is there."""
        return await asyncio.to_thread((self._root / checked_key(key)).is_file)

    async def read_ref(self, key: str) -> Ref | None:
        """A ref; its version is the hash of its content."""
        # One call of one thread: a small file that is read for every backtest.
        return await asyncio.to_thread(self._read_ref, self._root / checked_key(key))

    async def swap_ref(self, key: str, data: bytes, *, expected: str | None) -> None:
        """Compare and swap under a lock file that other processes respect."""
        # One call of one thread: waiting for the lock while its holder waits for a thread would never end.
        await asyncio.to_thread(self._swap, key, data, expected)

    async def check(self) -> None:
        """The folder can be made and written."""
        with _wrapped_os_errors(self._root):
            await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)
            if not os.access(self._root, os.W_OK):
                raise StoreUnavailableError(str(self._root), "not writable")

    def _read_ref(self, path: Path) -> Ref | None:
        with _wrapped_os_errors(self._root):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                return None
        return Ref(data=data, version=_version(data))

    def _put_all(self, files: Mapping[Path, bytes]) -> None:
        for path, data in files.items():
            if not path.is_file():
                self._write(path, data)

    def _swap(self, key: str, data: bytes, expected: str | None) -> None:
        path = self._root / checked_key(key)
        with _wrapped_os_errors(self._root):
            self._root.mkdir(parents=True, exist_ok=True)
            with (self._root / ".lock").open("ab") as lock:  # closing it gives the lock back
                fcntl.flock(lock, fcntl.LOCK_EX)
                if (_version(path.read_bytes()) if path.exists() else None) != expected:
                    raise RefConflictError(key)
                self._write(path, data)

    def _write(self, path: Path, data: bytes) -> None:
        draft = path.with_name(f".{path.name}.{uuid4().hex}")
        with _wrapped_os_errors(self._root):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with draft.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _wrapped_os_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailableError(str(root), str(error)) from error
