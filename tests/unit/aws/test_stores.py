"""The folder and S3 (moto's server) hold to one contract."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mypy_boto3_s3 import S3Client

from aws.errors import (
    CacheUrlError,
    CorruptObjectError,
    ObjectNotFoundError,
    RefConflictError,
    StoreUnavailableError,
)
from aws.folder_cache import FolderCache
from aws.object_store import ObjectStore
from aws.s3_cache import S3Cache, open_cache, read_table, write_table
from support.s3_server import BUCKET, client_of, running_s3

TABLE = pa.table({"ticker": ["A", "B"], "close": [1.5, 2.5]})


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """URL of an S3 server."""
    with running_s3() as url:
        yield url


@pytest.fixture
def client(server: str) -> S3Client:
    """A client of that server."""
    return client_of(server)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store, once of each kind."""
    if request.param == "folder":
        return FolderCache(tmp_path / "cache")
    return S3Cache(BUCKET, f"prefix/{tmp_path.name}", request.getfixturevalue("client"))


async def test_an_object_is_read_whole_and_in_ranges(store: ObjectStore) -> None:
    await store.put("objects/x", b"0123456789")
    assert await store.get("objects/x") == b"0123456789"
    assert await store.get("objects/x", start=2, length=3) == b"234"
    assert await store.get("objects/x", start=7) == b"789"
    assert await store.get("objects/x", start=2, length=0) == b""


async def test_a_missing_object_is_said_to_be_missing(store: ObjectStore) -> None:
    assert await store.exists("objects/x") is False
    with pytest.raises(ObjectNotFoundError, match="objects/x"):
        await store.get("objects/x")


async def test_an_object_that_is_there_is_never_overwritten(store: ObjectStore) -> None:
    await store.put("objects/x", b"first")
    await store.put("objects/x", b"second")
    assert await store.get("objects/x") == b"first"


async def test_a_ref_moves_only_from_the_version_that_was_read(store: ObjectStore) -> None:
    assert await store.read_ref("refs/u.json") is None
    await store.swap_ref("refs/u.json", b"1", expected=None)
    first = await store.read_ref("refs/u.json")
    assert first is not None
    await store.swap_ref("refs/u.json", b"2", expected=first.version)
    with pytest.raises(RefConflictError):
        await store.swap_ref("refs/u.json", b"3", expected=first.version)
    with pytest.raises(RefConflictError):
        await store.swap_ref("refs/u.json", b"3", expected=None)
    found = await store.read_ref("refs/u.json")
    assert found is not None
    assert found.data == b"2"


async def test_a_ref_that_is_gone_cannot_be_moved(store: ObjectStore) -> None:
    with pytest.raises(RefConflictError):
        await store.swap_ref("refs/u.json", b"1", expected='"0123456789abcdef0123456789abcdef"')


async def test_of_many_racers_one_moves_the_ref(store: ObjectStore) -> None:
    # More than asyncio has threads (32 at most): a lock that waits in one must not keep its holder from going on.
    racers = [store.swap_ref("refs/u.json", str(number).encode(), expected=None) for number in range(40)]
    results = await asyncio.gather(*racers, return_exceptions=True)
    assert results.count(None) == 1
    assert sum(isinstance(result, RefConflictError) for result in results) == 39


async def test_equal_tables_have_one_key_that_is_their_hash(store: ObjectStore) -> None:
    key = await write_table(store, TABLE)
    assert await write_table(store, TABLE.slice(0)) == key
    assert key == f"objects/{hashlib.sha256(await store.get(key)).hexdigest()}.parquet"
    assert (await read_table(store, key)).equals(TABLE)
    assert (await read_table(store, key, ["close"])).column_names == ["close"]


async def test_a_stored_table_is_plain_parquet(store: ObjectStore) -> None:
    data = await store.get(await write_table(store, TABLE))
    assert pq.read_table(pa.BufferReader(data)).equals(TABLE)


async def test_texts_that_are_told_by_numbers_are_read_as_texts(store: ObjectStore) -> None:
    texts = ["b", "a", "b", "b"]
    # More words than are used, and one twice.
    coded = pa.DictionaryArray.from_arrays(pa.array([2, 1, 2, 3], pa.int32()), ["never", "a", "b", "b"])
    table = pa.table({"day": [dt.date(2024, 1, day) for day in (2, 3, 4, 5)], "ticker": coded, "close": [1.0] * 4})
    found = await read_table(store, await write_table(store, table))
    assert found.schema.field("ticker").type == pa.string()
    assert found.equals(table.set_column(1, "ticker", pa.array(texts)))


async def test_a_store_that_can_be_reached_passes_its_check(store: ObjectStore) -> None:
    await store.check()


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "", "a//b", "a/../../b"])
async def test_a_key_cannot_leave_the_store(store: ObjectStore, key: str) -> None:
    with pytest.raises(CacheUrlError):
        await store.get(key)


async def test_a_truncated_object_in_s3_is_caught_by_its_hash(client: S3Client) -> None:
    store = S3Cache(BUCKET, client=client)
    key = await write_table(store, TABLE)
    data = await store.get(key)
    client.put_object(Bucket=BUCKET, Key=key, Body=data[:-5])
    with pytest.raises(CorruptObjectError, match=key):
        await read_table(store, key)


async def test_a_truncated_object_in_a_folder_is_caught_by_its_hash(tmp_path: Path) -> None:
    store = FolderCache(tmp_path)
    key = await write_table(store, TABLE)
    path = tmp_path / key
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(CorruptObjectError, match=key):
        await read_table(store, key)


async def test_a_bucket_that_is_not_there_is_unavailable(client: S3Client) -> None:
    store = S3Cache("another-bucket", client=client)
    with pytest.raises(StoreUnavailableError, match="s3://another-bucket"):
        await store.check()
    with pytest.raises(StoreUnavailableError, match=r"s3://another-bucket/objects/x .*NoSuchBucket"):
        await store.put("objects/x", b"")


async def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailableError):
        await FolderCache(tmp_path / "file" / "cache").check()
    with pytest.raises(StoreUnavailableError):
        await FolderCache(tmp_path / "file" / "cache").put("objects/x", b"")


async def test_an_interrupted_write_leaves_no_object(tmp_path: Path) -> None:
    store = FolderCache(tmp_path)
    with pytest.raises(TypeError):
        await store.put("objects/x", None)  # type: ignore[arg-type]  # fails half-way
    assert list((tmp_path / "objects").iterdir()) == []


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("s3://bucket/some/prefix", S3Cache),
        ("s3://bucket", S3Cache),
        ("folder", FolderCache),
        ("file:///f", FolderCache),
    ],
)
def test_a_url_names_its_store(url: str, kind: type[ObjectStore]) -> None:
    assert isinstance(open_cache(url), kind)


@pytest.mark.parametrize("url", ["gs://bucket", "s3://", "http://bucket"])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(CacheUrlError, match="CACHE_URL"):
        open_cache(url)


async def test_nan_survives_a_table(store: ObjectStore) -> None:
    table = await read_table(store, await write_table(store, pa.table({"x": [np.nan, 1.0]})))
    np.testing.assert_array_equal(table.column("x").to_numpy(), [np.nan, 1.0])
