"""What a cache is: immutable objects under keys, and a few refs that move by compare-and-swap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

from aws.errors import CacheUrlError

if TYPE_CHECKING:
    from aws.kept_values import KeptValues


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """Content of a ref, and the version that a swap must name."""

    data: bytes
    version: str


class ObjectStore(Protocol):
    """A bucket or a folder. Every method may raise `StoreUnavailableError`."""

    async def get(self, key: str, *, start: int | None = None, length: int | None = None) -> bytes:
        """Bytes of an object, or `length` of them from `start`; `ObjectNotFoundError`."""
        ...

    def kept_values(self) -> KeptValues | None:
        """Decoded columns that are nearer than the store, None where nothing is."""
        ...

    async def put(self, key: str, data: bytes) -> None:
        """Write an immutable object; one that is there already is left alone."""
        ...

    async def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Write several by their keys; after a failure some of them may be there."""
        ...

    async def exists(self, key: str) -> bool:
        """Whether there is an object under the key."""
        ...

    async def read_ref(self, key: str) -> Ref | None:
        """A ref, None when it was never set."""
        ...

    async def swap_ref(self, key: str, data: bytes, *, expected: str | None) -> None:
        """Move a ref from the `expected` version (None: it must not exist yet); `RefConflictError` when it moved."""
        ...

    async def check(self) -> None:
        """Return when the store can be reached, else raise."""
        ...


def checked_key(key: str) -> str:
    """The key itself; `CacheUrlError` when it could leave the store."""
    path = PurePosixPath(key)
    if not key or path.is_absolute() or ".." in path.parts or str(path) != key:
        raise CacheUrlError("key", key, "must be a plain relative path")
    return key
