"""The Parquet cache: in S3, or with the same interface and layout in a local folder (`aws.folder_cache`).

Objects are named by the hash of their bytes and never change; refs move by S3's conditional writes.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aws.errors import (
    CacheUrlError,
    CorruptObjectError,
    ObjectNotFoundError,
    RefConflictError,
    StoreUnavailableError,
)
from aws.folder_cache import FolderCache
from aws.gathering import gathered
from aws.local_copy import LocalCopy
from aws.object_store import ObjectStore, Ref, checked_key
from aws.s3_requests import fetched, make_client

if TYPE_CHECKING:
    import pyarrow as pa
    from mypy_boto3_s3 import S3Client

__all__ = ["ObjectStore", "Ref", "S3Cache", "open_cache", "packed", "read_table", "write_object", "write_table"]

T = TypeVar("T")

_MISSING = {"NoSuchKey", "404", "NotFound"}
_CONFLICT = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


def open_cache(url: str, *, local_copy: Path | None = None) -> ObjectStore:
    """Cache of a URL: ``s3://bucket/prefix``, ``file:///folder`` or a folder path.

    What was read from S3 is kept in the folder `local_copy`, where one is given.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return FolderCache(Path(url))
    if scheme == "file":
        return FolderCache(Path(rest))
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise CacheUrlError("CACHE_URL", url, "expected a folder, or s3://bucket/prefix")
    remote = S3Cache(bucket, prefix)
    return remote if local_copy is None else LocalCopy(remote, local_copy)


class S3Cache:
    """Objects in a bucket; boto3 runs in threads, since it blocks."""

    def __init__(self, bucket: str, prefix: str = "", client: S3Client | None = None) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._given = client

    async def get(self, key: str, *, start: int | None = None, length: int | None = None) -> bytes:
        """Bytes of an object, or a range of them."""
        if length == 0:
            return b""
        byte_range = None
        if start is not None or length is not None:
            first = start or 0
            byte_range = f"bytes={first}-{'' if length is None else first + length - 1}"
        return await self._call(key, lambda client: fetched(client, self._bucket, self._key(key), byte_range))

    def kept_values(self) -> None:
        """Nothing is nearer: that is `LocalCopy`'s."""

    async def put(self, key: str, data: bytes) -> None:
        """Write an object unless it is there."""
        try:
            await self._put(key, data, IfNoneMatch="*")
        except RefConflictError:
            return  # it is there, and under its hash nothing else can be

    async def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Write objects side by side: each is a way to S3."""
        await gathered(*(self.put(key, data) for key, data in objects.items()))

    async def exists(self, key: str) -> bool:
        """Whether the object is there."""
        try:
            await self._call(key, lambda client: client.head_object(Bucket=self._bucket, Key=self._key(key)))
        except ObjectNotFoundError:
            return False
        return True

    async def read_ref(self, key: str) -> Ref | None:
        """A ref; its version is its ETag."""

        def read(client: S3Client) -> Ref:
            found = client.get_object(Bucket=self._bucket, Key=self._key(key))
            return Ref(data=found["Body"].read(), version=found["ETag"])

        try:
            return await self._call(key, read)
        except ObjectNotFoundError:
            return None

    async def swap_ref(self, key: str, data: bytes, *, expected: str | None) -> None:
        """Compare and swap by a conditional write."""
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}
        try:
            await self._put(key, data, **condition)
        except ObjectNotFoundError as error:
            raise RefConflictError(key) from error  # it was there when it was read

    async def check(self) -> None:
        """The bucket answers."""
        await self._call("", lambda client: client.head_bucket(Bucket=self._bucket))

    async def _put(self, key: str, data: bytes, **condition: str) -> None:
        arguments: dict[str, Any] = {"Bucket": self._bucket, "Key": self._key(key), "Body": data, **condition}
        await self._call(key, lambda client: client.put_object(**arguments))

    async def _call(self, key: str, request: Callable[[S3Client], T]) -> T:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  only where S3 is used

        try:
            return await asyncio.to_thread(lambda: request(self._client()))
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if key and code in _MISSING:
                raise ObjectNotFoundError(key) from error
            if code in _CONFLICT:
                raise RefConflictError(key) from error
            raise StoreUnavailableError(self._url(key), code) from error
        except BotoCoreError as error:
            raise StoreUnavailableError(self._url(key), type(error).__name__) from error

    def _url(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{key}" if key else f"s3://{self._bucket}"

    def _client(self) -> S3Client:
        if self._given is None:
            self._given = make_client()
        return self._given

    def _key(self, key: str) -> str:
        return self._prefix + checked_key(key)


async def write_table(store: ObjectStore, table: pa.Table) -> str:
    """Write a table as Parquet under the hash of its bytes, and return its key; equal tables give one key."""
    return await write_object(store, await asyncio.to_thread(packed, table))


def packed(table: pa.Table) -> bytes:
    """A table as a Parquet file of the cache; equal tables give equal bytes."""
    import pyarrow as pa  # noqa: PLC0415  cold start
    import pyarrow.parquet as pq  # noqa: PLC0415  cold start

    # Numbers seldom repeat, so a dictionary of them makes a file slower and larger; their bytes, those of one place
    # together, shrink even by LZ4.
    coded = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    texts = [field.name for field in table.schema if field.type == pa.string()]
    numbers = [field.name for field in table.schema if field.type == pa.float64()]
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="lz4",
        use_dictionary=texts + coded,
        use_byte_stream_split=numbers,
        # They would help to skip a part of what is read whole.
        write_statistics=False,
        # Without Arrow's own, so that texts are read as texts however they came.
        store_schema=not coded,
    )
    data: bytes = sink.getvalue().to_pybytes()
    return data


async def read_table(store: ObjectStore, key: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A table of the cache; `CorruptObjectError` when its bytes are not those that the key names."""
    import pyarrow as pa  # noqa: PLC0415  cold start
    import pyarrow.parquet as pq  # noqa: PLC0415  cold start

    data = await store.get(key)
    verify(key, data, key.rpartition("/")[2].partition(".")[0])
    # Not `pq.read_table`, which imports pyarrow.dataset to read a single file.
    return pq.ParquetFile(pa.BufferReader(data)).read(list(columns) if columns is not None else None)


async def write_object(store: ObjectStore, data: bytes) -> str:
    """Write bytes as ``objects/<sha256>.parquet`` and return that key."""
    key = await asyncio.to_thread(object_key, data)
    await store.put(key, data)
    return key


def object_key(data: bytes) -> str:
    """Key of an object of these bytes."""
    return f"objects/{hashlib.sha256(data).hexdigest()}.parquet"


def verify(key: str, data: bytes, expected: str) -> None:
    """`CorruptObjectError` unless the bytes have this sha256."""
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise CorruptObjectError(key, expected, found)
