"""S3 that refuses, breaks off, lies or falls silent: repeated where that helps, else an error that says where."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aws.errors import CorruptObjectError, RefConflictError, StoreUnavailableError
from aws.local_copy import LocalCopy
from aws.s3_cache import S3Cache
from aws.snapshots import current_ref, current_snapshot, publish
from strategy.fast_data_loader import load_panel
from support.s3_server import BUCKET, Faults, client_of, faulty_proxy, running_s3
from support.snapshots import manifest_of, snapshot_of_closes
from support.stores import MemoryStore

CLOSES = np.arange(1.0, 13.0).reshape(6, 2)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """URL of an S3 server."""
    with running_s3() as url:
        yield url


@pytest.fixture
def faults(server: str, tmp_path: Path) -> Iterator[tuple[S3Cache, Faults]]:
    """A cache behind a proxy, and what the proxy shall do."""
    with faulty_proxy(server) as (url, played):
        yield S3Cache(BUCKET, tmp_path.name, client_of(url, read_timeout_s=0.3)), played


@pytest.mark.parametrize("fault", [503, "truncate", "silence"])
async def test_a_fault_that_passes_costs_no_answer(faults: tuple[S3Cache, Faults], fault: int | str) -> None:
    store, played = faults
    await store.put("objects/x", b"0123456789")
    played.next = [fault]
    assert await store.get("objects/x") == b"0123456789"
    played.next = [fault]
    assert await store.get("objects/x", start=2, length=3) == b"234"


@pytest.mark.parametrize(
    ("fault", "reason"), [(403, "AccessDenied"), (503, "SlowDown"), ("truncate", "Error"), ("silence", "Timeout")]
)
async def test_a_fault_that_stays_names_bucket_and_key(
    faults: tuple[S3Cache, Faults], fault: int | str, reason: str
) -> None:
    store, played = faults
    await store.put("objects/x", b"0123456789")
    played.seen.clear()
    played.next = [fault] * 9
    with pytest.raises(StoreUnavailableError, match=rf"s3://{BUCKET}/.*objects/x .*{reason}"):
        await store.get("objects/x")
    # Once by itself, then by boto3 with its one retry: never a storm.
    assert len(played.seen) <= 3


@pytest.mark.parametrize("fault", ["flip", "shorten"])
async def test_bytes_that_are_not_what_the_manifest_says_are_never_served(
    faults: tuple[S3Cache, Faults], fault: str
) -> None:
    store, played = faults
    snapshot = await snapshot_of_closes(store, CLOSES)
    for faulty_request in range(2):  # of the manifest, of the closes
        played.next = [*["none"] * faulty_request, fault]
        with pytest.raises(CorruptObjectError, match=r"snapshots/|objects/"):
            await load_panel(store, snapshot, fields=("close",))
    np.testing.assert_array_equal((await load_panel(store, snapshot, fields=("close",))).close_prices, CLOSES)


@pytest.mark.parametrize("fault", ["flip", "shorten", 403])
async def test_what_came_damaged_is_not_kept(faults: tuple[S3Cache, Faults], tmp_path: Path, fault: int | str) -> None:
    remote, played = faults
    snapshot = await snapshot_of_closes(remote, CLOSES)
    store = LocalCopy(remote, tmp_path / "copy")
    played.next = ["none", *[fault] * 3]
    with pytest.raises((CorruptObjectError, StoreUnavailableError)):
        await load_panel(store, snapshot, fields=("close",))
    played.next = []
    for _ in range(2):
        panel = await load_panel(store, snapshot, fields=("close",))
        np.testing.assert_array_equal(panel.close_prices, CLOSES)


async def test_a_panel_that_was_loaded_once_needs_no_s3(faults: tuple[S3Cache, Faults], tmp_path: Path) -> None:
    remote, played = faults
    snapshot = await snapshot_of_closes(remote, CLOSES)
    store = LocalCopy(remote, tmp_path / "copy")
    first = await load_panel(store, snapshot, fields=("close",))
    played.next = [403] * 9
    again = await load_panel(LocalCopy(remote, tmp_path / "copy"), snapshot, fields=("close",))
    np.testing.assert_array_equal(again.close_prices, first.close_prices)


async def test_a_write_that_s3_refuses_is_an_error_and_moves_no_ref(faults: tuple[S3Cache, Faults]) -> None:
    store, played = faults
    snapshot = await snapshot_of_closes(store, CLOSES)
    played.next = [403]
    with pytest.raises(StoreUnavailableError, match="AccessDenied"):
        await snapshot_of_closes(store, CLOSES * 2)
    assert await current_snapshot(store, "U") == snapshot


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest, server: str, tmp_path: Path) -> MemoryStore | S3Cache:
    return MemoryStore() if request.param == "memory" else S3Cache(BUCKET, tmp_path.name, client_of(server))


MONDAY = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
OLDER, NEWER = manifest_of(as_of=MONDAY), manifest_of(as_of=MONDAY + dt.timedelta(days=1))


async def test_who_knows_more_wins_whoever_is_first(store: MemoryStore | S3Cache) -> None:
    since = await current_ref(store, "U")  # both began here
    newer, moved = await publish(store, NEWER, since=since)
    assert moved
    older, moved = await publish(store, OLDER, since=since)
    assert not moved
    assert await current_snapshot(store, "U") == newer != older
    assert await store.exists(f"snapshots/{older}.json")  # nothing of the loser is lost


async def test_a_newer_one_follows_an_older_one_that_came_between(store: MemoryStore | S3Cache) -> None:
    since = await current_ref(store, "U")
    await publish(store, OLDER, since=since)
    newer, moved = await publish(store, NEWER, since=since)
    assert moved
    assert await current_snapshot(store, "U") == newer


async def test_the_same_snapshot_twice_moves_the_ref_once(store: MemoryStore | S3Cache) -> None:
    since = await current_ref(store, "U")
    moved = [(await publish(store, OLDER, since=since))[1] for _ in range(2)]
    assert moved == [True, False]


async def test_many_publishers_at_once_leave_one_of_theirs_or_are_told(store: MemoryStore | S3Cache) -> None:
    manifests = [replace(OLDER, as_of=MONDAY + dt.timedelta(hours=hour)) for hour in range(6)]
    jobs = (publish(store, manifest, since=None) for manifest in manifests)
    results = await asyncio.gather(*jobs, return_exceptions=True)
    told = [result for result in results if isinstance(result, RefConflictError)]
    published = [result[0] for result in results if isinstance(result, tuple)]
    assert len(told) + len(published) == len(manifests)
    assert await current_snapshot(store, "U") in published
    # Who was told begins again, from what is there now, and the newest is left in the end.
    newest, _ = await publish(store, manifests[-1], since=await current_ref(store, "U"))
    assert await current_snapshot(store, "U") == newest


async def test_a_second_conflict_is_raised_and_leaves_theirs(store: MemoryStore | S3Cache) -> None:
    theirs, _ = await publish(store, OLDER, since=None)

    class Contested(MemoryStore):
        """Whoever swaps here comes too late."""

        async def swap_ref(self, key: str, data: bytes, *, expected: str | None) -> None:
            raise RefConflictError(f"{key} {data!r} {expected}")

    contested = Contested()
    contested.objects = {"refs/U.json": b'{"snapshot": "%s"}' % theirs.encode()}
    contested.objects |= {f"snapshots/{theirs}.json": await store.get(f"snapshots/{theirs}.json")}
    with pytest.raises(RefConflictError, match="try again"):
        await publish(contested, NEWER, since=None)
    assert await current_snapshot(contested, "U") == theirs
