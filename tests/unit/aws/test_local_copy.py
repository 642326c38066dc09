"""The local copy of a remote cache: it saves requests, and whatever the disk does, answers stay right."""

from __future__ import annotations

import multiprocessing
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aws.disk_budget import DiskBudget
from aws.errors import ObjectNotFoundError
from aws.kept_values import KeptValues
from aws.local_copy import LocalCopy
from support.stores import MemoryStore

VALUES = np.array([[1.0, np.nan], [3.0, -0.0]])


@pytest.fixture
def remote() -> MemoryStore:
    store = MemoryStore()
    store.objects = {"objects/a": b"0123456789", "objects/b": b"x" * 60, "refs/u.json": b"1"}
    return store


@pytest.fixture
def kept(tmp_path: Path) -> KeptValues:
    return KeptValues(tmp_path / "values", DiskBudget(tmp_path, 1_000_000))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(  # noqa: S603  our own fixed command
        ["/bin/mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["/bin/umount", str(folder)], check=True)  # noqa: S603  our own fixed command


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_an_object_is_asked_for_once(remote: MemoryStore, tmp_path: Path) -> None:
    copy = LocalCopy(remote, tmp_path)
    for _ in range(3):
        assert await copy.get("objects/a") == b"0123456789"
    assert await LocalCopy(remote, tmp_path).get("objects/a") == b"0123456789"
    assert remote.reads == [("objects/a", None, None)]


async def test_a_range_is_not_kept_since_its_values_are(remote: MemoryStore, tmp_path: Path) -> None:
    assert await LocalCopy(remote, tmp_path).get("objects/a", start=2, length=3) == b"234"
    assert files(tmp_path) == []


async def test_a_ref_is_never_kept(remote: MemoryStore, tmp_path: Path) -> None:
    copy = LocalCopy(remote, tmp_path)
    assert await copy.get("refs/u.json") == b"1"
    remote.objects["refs/u.json"] = b"2"
    assert await copy.get("refs/u.json") == b"2"


async def test_a_damaged_object_is_fetched_again(remote: MemoryStore, tmp_path: Path) -> None:
    copy = LocalCopy(remote, tmp_path)
    await copy.get("objects/a")
    path = tmp_path / "objects" / "a"
    path.write_bytes(path.read_bytes()[:-1])
    assert await copy.get("objects/a") == b"0123456789"
    assert await copy.get("objects/a") == b"0123456789"
    assert len(remote.reads) == 2


async def test_the_oldest_file_makes_room(remote: MemoryStore, tmp_path: Path) -> None:
    copy = LocalCopy(remote, tmp_path, max_bytes=110)
    await copy.get("objects/a")
    await copy.get("objects/b")
    assert files(tmp_path) == ["b"]


async def test_what_is_larger_than_the_limit_throws_nothing_out(remote: MemoryStore, tmp_path: Path) -> None:
    copy = LocalCopy(remote, tmp_path, max_bytes=50)
    await copy.get("objects/a")
    assert await copy.get("objects/b") == b"x" * 60
    assert files(tmp_path) == ["a"]


async def test_a_missing_object_stays_missing(remote: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFoundError):
        await LocalCopy(remote, tmp_path).get("objects/c")


async def test_a_disk_that_cannot_be_written_costs_no_answer(remote: MemoryStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    copy = LocalCopy(remote, tmp_path / "file" / "folder")
    values = copy.kept_values()
    assert values is not None
    values.keep("hash", VALUES)
    assert not values.read_into("hash", np.empty_like(VALUES))
    assert await copy.get("objects/a") == b"0123456789"


async def test_a_full_disk_costs_no_answer_and_keeps_no_part_of_one(tiny_disk: Path) -> None:
    remote = MemoryStore()
    remote.objects = {"objects/large": b"x" * 100_000, "objects/small": b"y"}
    copy = LocalCopy(remote, tiny_disk)
    values = copy.kept_values()
    assert values is not None
    for _ in range(2):
        assert await copy.get("objects/large") == b"x" * 100_000
        values.keep("hash", np.ones(20_000))
        assert not values.read_into("hash", np.empty(20_000))
    assert files(tiny_disk) == []
    assert await copy.get("objects/small") == b"y"
    assert files(tiny_disk) == ["small"]


def test_values_come_back_to_the_last_bit(kept: KeptValues) -> None:
    kept.keep("hash", VALUES)
    found = np.empty_like(VALUES)
    assert kept.read_into("hash", found)
    assert found.tobytes() == VALUES.tobytes()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:-1], id="cut off"),
        pytest.param(lambda data: data[:16], id="empty"),
        pytest.param(lambda data: data + b"\0", id="too long"),
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="one bit"),
        pytest.param(lambda data: bytes([data[0] ^ 1]) + data[1:], id="one bit of the checksum"),
        pytest.param(lambda data: data[:16] + data[24:32] + data[16:24] + data[32:], id="two values exchanged"),
    ],
)
def test_damaged_values_are_not_served_and_can_be_kept_anew(kept: KeptValues, tmp_path: Path, damage: object) -> None:
    assert callable(damage)
    kept.keep("hash", VALUES)
    path = tmp_path / "values" / "hash"
    path.write_bytes(damage(path.read_bytes()))
    found = np.empty_like(VALUES)
    assert not kept.read_into("hash", found)
    kept.keep("hash", VALUES)
    assert kept.read_into("hash", found)


def test_what_is_not_kept_is_not_there(kept: KeptValues) -> None:
    assert not kept.read_into("hash", np.empty(3))


def test_the_limit_holds_whoever_wrote_the_files(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"x" * 900)
    budget = DiskBudget(tmp_path, 1000)
    budget.make_room(50)
    assert files(tmp_path) == ["other"]
    budget.make_room(101)
    assert files(tmp_path) == []


def _keep_many(folder: str, name: str) -> int:
    """Values kept under a limit that only a few of them fit, each read back at once: how many were still there."""
    kept = KeptValues(Path(folder), DiskBudget(Path(folder), 30_000))
    n_read = 0
    for number in range(300):
        values = np.full(500, float(number))
        kept.keep(f"{name}{number}", values)
        found = np.empty(500)
        if kept.read_into(f"{name}{number}", found):
            np.testing.assert_array_equal(found, values)
            n_read += 1
    return n_read


def test_two_processes_may_write_and_evict_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        n_read = pool.starmap(_keep_many, [(str(tmp_path), "a"), (str(tmp_path), "b")])
    assert min(n_read) > 0
    # Each counts only what it adds itself, so the two together may pass the limit, but not by more than it.
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 60_000
    assert not [name for name in files(tmp_path) if name.startswith(".")]
