"""Snapshots: a manifest that names immutable blocks, and one ref per universe that moves. Like git.

The hash of the manifest is the snapshot id. Closed spans are merged as they age, so a full read takes few requests and
a day's ingest rewrites only the open span.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from itertools import groupby
from weakref import WeakKeyDictionary

from aws.errors import ObjectNotFoundError, RefConflictError, UnknownSnapshotError
from aws.manifest import Manifest
from aws.object_store import ObjectStore, Ref
from aws.s3_cache import verify

#: Quarters before the newest one that the open span holds: at least 310 sessions, so that a year of them, what most
#: signals look at, is one request.
_OPEN_QUARTERS = 5
#: Most cells (sessions x tickers) in a block: 48 MB, so that a builder holds one span at a time.
_MOST_CELLS = 6_000_000
_SESSIONS_PER_YEAR = 252
#: Manifests of each store in memory: some hundred kilobytes each.
_MOST_REMEMBERED = 4
_REMEMBERED: WeakKeyDictionary[ObjectStore, dict[str, Manifest]] = WeakKeyDictionary()


def parted_sessions(days: Sequence[dt.date], n_tickers: int) -> list[tuple[dt.date, ...]]:
    """The sessions of each span of a universe, from the oldest on.

    The newest quarter and the five before are the open span, rewritten every day. All that is older is one span,
    extended once a quarter; a universe too large for that has several, of as many whole years each as a power of two
    allows, so that a few tickers more move no boundary.
    """
    first_open = _quarter(days[-1]) - _OPEN_QUARTERS
    most_years = max(1, _MOST_CELLS // (_SESSIONS_PER_YEAR * n_tickers))
    era = 1 << (most_years.bit_length() - 1)

    def place(day: dt.date) -> tuple[int, int]:
        return (1, 0) if _quarter(day) >= first_open else (0, (day.year - days[0].year) // era)

    return [tuple(group) for _, group in groupby(days, key=place)]


def _quarter(day: dt.date) -> int:
    return day.year * 4 + (day.month - 1) // 3


async def current_snapshot(store: ObjectStore, universe: str) -> str | None:
    """Id of the newest snapshot of a universe, None when none was built."""
    ref = await current_ref(store, universe)
    return snapshot_of(ref) if ref else None


async def current_ref(store: ObjectStore, universe: str) -> Ref | None:
    """The ref of a universe, None when no snapshot was built."""
    return await store.read_ref(_ref_key(universe))


def snapshot_of(ref: Ref) -> str:
    """Id of the snapshot that a ref points to."""
    snapshot_id: str = json.loads(ref.data)["snapshot"]
    return snapshot_id


async def load_manifest(store: ObjectStore, snapshot_id: str) -> Manifest:
    """Manifest of a snapshot, verified against its id; `UnknownSnapshotError` when there is none.

    The last few of a store are remembered: under its hash a manifest is the same for ever.
    """
    remembered = _REMEMBERED.setdefault(store, {})
    if snapshot_id not in remembered:
        remembered[snapshot_id] = await _fetched(store, snapshot_id)
        while len(remembered) > _MOST_REMEMBERED:
            del remembered[next(iter(remembered))]
    return remembered[snapshot_id]


async def _fetched(store: ObjectStore, snapshot_id: str) -> Manifest:
    key = _manifest_key(snapshot_id)
    try:
        data = await store.get(key)
    except ObjectNotFoundError as error:
        raise UnknownSnapshotError(snapshot_id) from error
    verify(key, data, snapshot_id)
    return Manifest.from_json(data)


async def store_manifest(store: ObjectStore, manifest: Manifest) -> str:
    """Write the manifest, and return the snapshot id."""
    data = manifest.to_json()
    snapshot_id = hashlib.sha256(data).hexdigest()
    await store.put(_manifest_key(snapshot_id), data)
    return snapshot_id


async def publish(store: ObjectStore, manifest: Manifest, *, since: Ref | None) -> tuple[str, bool]:
    """Write the manifest and move the ref of its universe to it; returns its id, and whether the ref moved.

    Parameters
    ----------
    store : ObjectStore
    manifest : Manifest
    since : Ref or None
        The ref as it was before the facts of the manifest were read. When somebody moved it in the meantime, theirs
        stays if it knows more than ours; else ours follows it.

    Raises
    ------
    RefConflictError
        When somebody moves it a second time; what they publish is in place then, and ours is written and unharmed.
    """
    snapshot_id = await store_manifest(store, manifest)
    ref = since
    for attempt in range(2):
        if ref is not None and snapshot_of(ref) == snapshot_id:
            return snapshot_id, False
        try:
            await _moved(store, manifest.universe, snapshot_id, expected=ref)
        except RefConflictError:
            if attempt:
                raise
            ref = await current_ref(store, manifest.universe)
            if ref is not None and (await load_manifest(store, snapshot_of(ref))).as_of > manifest.as_of:
                return snapshot_id, False
        else:
            return snapshot_id, True
    raise RefConflictError(_ref_key(manifest.universe))


async def _moved(store: ObjectStore, universe: str, snapshot_id: str, *, expected: Ref | None) -> None:
    data = json.dumps({"snapshot": snapshot_id}).encode()
    await store.swap_ref(_ref_key(universe), data, expected=expected.version if expected else None)


def _manifest_key(snapshot_id: str) -> str:
    return f"snapshots/{snapshot_id}.json"


def _ref_key(universe: str) -> str:
    return f"refs/{universe}.json"
