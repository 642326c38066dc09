"""Snapshots made of arrays, without a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aws.blocks import joined_spans, store_blocks
from aws.facts import inlined
from aws.manifest import Manifest, Span, day_number
from aws.object_store import ObjectStore
from aws.snapshots import current_ref, parted_sessions, publish
from support.panels import business_days

ACTION_TYPES = {
    "ticker": pa.string(),
    "ex_date": pa.date32(),
    "kind": pa.string(),
    "value": pa.float64(),
    "new_symbol": pa.string(),
}
_MEMBER_TYPES = {"ticker": pa.string(), "start_date": pa.date32(), "end_date": pa.date32()}


def manifest_of(
    *,
    as_of: dt.datetime,
    days: Sequence[dt.date] = (dt.date(2024, 1, 4),),
    tickers: Sequence[str] = (),
    spans: Sequence[Span] = (),
    actions: Sequence[Mapping[str, object]] = (),
) -> Manifest:
    """A manifest of universe U, every ticker a member since its first session."""
    members = [{"ticker": ticker, "start_date": days[0], "end_date": None} for ticker in tickers]
    return Manifest(
        universe="U",
        currency="USD",
        benchmark=None,
        as_of=as_of,
        n_bars=len(days) * len(tickers),
        quality={"good": len(days) * len(tickers), "suspect": 0},
        days=tuple(day_number(day) for day in days),
        tickers=tuple(tickers),
        spans=tuple(spans),
        tables={
            "actions": inlined(pa.Table.from_pylist(list(actions), schema=pa.schema(list(ACTION_TYPES.items())))),
            "members": inlined(pa.Table.from_pylist(members, schema=pa.schema(list(_MEMBER_TYPES.items())))),
        },
    )


async def published(
    store: ObjectStore,
    days: Sequence[dt.date],
    tickers: Sequence[str],
    values: Mapping[str, NDArray[np.float64]],
    *,
    cuts: Sequence[int] | None = None,
    actions: Sequence[Mapping[str, object]] = (),
) -> str:
    """Id of a published snapshot of columns of shape (n_sessions, n_tickers), NaN where there is no bar.

    Spans end at the rows `cuts`, or where those of a real universe do. A span has the tickers that have a close in it.
    """
    if cuts is None:
        cuts = list(accumulate(len(part) for part in parted_sessions(days, len(tickers))))[:-1]
    blocks = []
    for first, stop in zip((0, *cuts), (*cuts, len(days)), strict=True):
        is_there = np.asarray(np.isfinite(values["close"][first:stop]).any(axis=0))
        names = [tickers[column] for column in np.flatnonzero(is_there).tolist()]
        part = {name: matrix[first:stop, is_there] for name, matrix in values.items()}
        blocks.append(await store_blocks(store, days[first:stop], names, part))
    found, spans = joined_spans(blocks)
    as_of = dt.datetime.combine(days[-1], dt.time(22), dt.UTC)
    manifest = manifest_of(as_of=as_of, days=days, tickers=found, spans=spans, actions=actions)
    snapshot_id, _ = await publish(store, manifest, since=await current_ref(store, "U"))
    return snapshot_id


async def snapshot_of_closes(
    store: ObjectStore,
    closes: NDArray[np.float64],
    *,
    cuts: Sequence[int] = (),
    actions: Sequence[Mapping[str, object]] = (),
) -> str:
    """The same of closes alone, on business days from 2020-01-01, of tickers T000, T001 and so on."""
    days = business_days(len(closes)).astype(object).tolist()
    tickers = [f"T{column:03d}" for column in range(closes.shape[1])]
    return await published(store, days, tickers, {"close": closes}, cuts=cuts, actions=actions)
