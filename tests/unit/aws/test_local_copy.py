"""The local copy of a remote cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws.errors import ObjectNotFoundError
from aws.local_copy import LocalCopy
from support.stores import MemoryStore


@pytest.fixture
def remote() -> MemoryStore:
    store = MemoryStore()
    store.objects = {"objects/a": b"0123456789", "objects/b": b"x" * 60, "refs/u.json": b"1"}
    return store


async def test_a_part_is_asked_for_once(remote: MemoryStore, tmp_path: Path) -> None:
    copy = LocalCopy(remote, tmp_path)
    for _ in range(3):
        assert await copy.get("objects/a", start=2, length=3) == b"234"
    assert await LocalCopy(remote, tmp_path).get("objects/a", start=2, length=3) == b"234"
    assert remote.reads == [("objects/a", 2, 3)]


async def test_another_range_is_another_part(remote: MemoryStore, tmp_path: Path) -> None:
    copy = LocalCopy(remote, tmp_path)
    assert await copy.get("objects/a", start=0, length=3) == b"012"
    assert await copy.get("objects/a") == b"0123456789"
    assert len(remote.reads) == 2


async def test_a_ref_is_never_kept(remote: MemoryStore, tmp_path: Path) -> None:
    copy = LocalCopy(remote, tmp_path)
    assert await copy.get("refs/u.json") == b"1"
    remote.objects["refs/u.json"] = b"2"
    assert await copy.get("refs/u.json") == b"2"


async def test_a_damaged_part_is_fetched_again(remote: MemoryStore, tmp_path: Path) -> None:
    copy = LocalCopy(remote, tmp_path)
    await copy.get("objects/a")
    (part,) = (path for path in tmp_path.rglob("*") if path.is_file())
    part.write_bytes(part.read_bytes()[:-1])
    assert await copy.get("objects/a") == b"0123456789"
    assert len(remote.reads) == 2


async def test_the_oldest_part_makes_room(remote: MemoryStore, tmp_path: Path) -> None:
    copy = LocalCopy(remote, tmp_path, max_bytes=100)
    await copy.get("objects/a")
    await copy.get("objects/b")
    kept = [path.parent.name for path in tmp_path.rglob("*") if path.is_file()]
    assert kept == ["b"]


async def test_a_disk_that_cannot_be_written_costs_no_answer(remote: MemoryStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    copy = LocalCopy(remote, tmp_path / "file" / "folder")
    assert await copy.get("objects/a") == b"0123456789"


async def test_a_missing_object_stays_missing(remote: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFoundError):
        await LocalCopy(remote, tmp_path).get("objects/c")
