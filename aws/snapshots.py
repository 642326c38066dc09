"""Snapshots: a manifest that names immutable blocks, and one ref per universe that moves. Like git.

The hash of the manifest is the snapshot id. Closed spans are merged as they age, so a full read takes few requests and
a day's ingest rewrites only the open span.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aws.errors import ObjectNotFoundError, RefConflictError, UnknownSnapshotError
from aws.object_store import ObjectStore, Ref
from aws.s3_cache import verify

SCHEMA_VERSION = 1
#: Years that one closed span covers once it has aged.
_ERA = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRange:
    """Bytes of one column (or of the footer) in an object, and their sha256."""

    offset: int
    length: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One dense block: its object, its labels in order, and where its columns are."""

    object: str
    size: int
    sessions: tuple[dt.date, ...]
    tickers: tuple[str, ...]
    ranges: Mapping[str, ColumnRange]

    @property
    def first(self) -> dt.date:
        """First session."""
        return self.sessions[0]

    @property
    def last(self) -> dt.date:
        """Last session."""
        return self.sessions[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything a panel is made of.

    `as_of` is the newest moment of knowledge among the facts included, not the moment of the build: the same facts give
    the same snapshot. `n_bars` and `quality` count the bars; `tables` names the objects of actions and members.
    """

    universe: str
    currency: str
    benchmark: str | None
    as_of: dt.datetime
    n_bars: int
    quality: Mapping[str, int]
    spans: tuple[Span, ...]
    tables: Mapping[str, str]
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> bytes:
        """Canonical JSON, whose hash is the snapshot id."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), default=_iso).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """The manifest of its canonical JSON."""
        body = json.loads(data)
        spans = tuple(_span(part) for part in body["spans"])
        return cls(**body | {"as_of": dt.datetime.fromisoformat(body["as_of"]), "spans": spans})


def span_start(session: dt.date, newest: dt.date) -> dt.date:
    """First day of the span that a session belongs to, in a universe whose newest session is `newest`.

    Quarters of the newest year, whole years back to the newest aligned era of four years, whole eras before that.
    """
    if session.year == newest.year:
        return dt.date(session.year, 3 * ((session.month - 1) // 3) + 1, 1)
    era = session.year - session.year % _ERA
    return dt.date(era, 1, 1) if era + _ERA <= newest.year else dt.date(session.year, 1, 1)


async def current_snapshot(store: ObjectStore, universe: str) -> str | None:
    """Id of the newest snapshot of a universe, None when none was built."""
    ref = await store.read_ref(_ref_key(universe))
    return _target(ref) if ref else None


async def load_manifest(store: ObjectStore, snapshot_id: str) -> Manifest:
    """Manifest of a snapshot, verified against its id; `UnknownSnapshotError` when there is none."""
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


async def publish(store: ObjectStore, manifest: Manifest) -> tuple[str, bool]:
    """Write the manifest and move the ref of its universe to it; returns its id, and whether the ref moved.

    When somebody else moves the ref at the same moment, it is moved once more, unless theirs knows more than ours;
    a second conflict raises `RefConflictError`.
    """
    snapshot_id = await store_manifest(store, manifest)
    key = _ref_key(manifest.universe)
    data = json.dumps({"snapshot": snapshot_id}).encode()
    for attempt in range(2):
        ref = await store.read_ref(key)
        if ref is not None and _target(ref) == snapshot_id:
            return snapshot_id, False
        if ref is not None and attempt and (await load_manifest(store, _target(ref))).as_of > manifest.as_of:
            return snapshot_id, False
        try:
            await store.swap_ref(key, data, expected=ref.version if ref else None)
        except RefConflictError:
            if attempt:
                raise
        else:
            return snapshot_id, True
    raise RefConflictError(key)


def _span(body: dict[str, Any]) -> Span:  # Any: JSON
    return Span(
        **body
        | {
            "sessions": tuple(dt.date.fromisoformat(text) for text in body["sessions"]),
            "tickers": tuple(body["tickers"]),
            "ranges": {name: ColumnRange(**part) for name, part in body["ranges"].items()},
        }
    )


def _manifest_key(snapshot_id: str) -> str:
    return f"snapshots/{snapshot_id}.json"


def _ref_key(universe: str) -> str:
    return f"refs/{universe}.json"


def _target(ref: Ref) -> str:
    snapshot_id: str = json.loads(ref.data)["snapshot"]
    return snapshot_id


def _iso(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
