"""Panels from the cache: the one door through which data come into the core.

1. The manifest of the snapshot tells which spans overlap the dates asked for.
2. Of each only the footer and the wanted columns are fetched, side by side, and verified against their hashes.
3. Values go straight into one matrix per field; a ticker that a span does not have stays NaN there.
4. Corporate actions and members come from their own tables.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import pyarrow as pa

from aws.blocks import FOOTER, BlockLayout, decode_columns
from aws.s3_cache import ObjectStore, read_table, verify
from aws.snapshots import Manifest, Span, load_manifest
from strategy.adjustments import CorporateActions
from strategy.errors import PanelError
from strategy.panel import BoolArray, DateArray, Field, FloatArray, PricePanel
from strategy.universe import Membership, member_matrix

T = TypeVar("T")

#: Ranges fetched at once.
_CONCURRENCY = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axes:
    sessions: DateArray
    tickers: tuple[str, ...]


async def load_panel(
    store: ObjectStore,
    snapshot_id: str,
    *,
    fields: Sequence[Field] = ("open", "close"),
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> PricePanel:
    """Panel of a snapshot.

    Parameters
    ----------
    store : ObjectStore
    snapshot_id : str
        64 hexadecimal digits.
    fields : sequence of {"open", "high", "low", "close", "volume"}
        Columns to fetch; "close" is always among them. One that the source never had is all NaN.
    start, end : date or None
        Both included; None is the first, or last, session of the snapshot.

    Raises
    ------
    PanelError
        If no session lies between start and end.
    UnknownSnapshotError, CorruptObjectError
        If the snapshot is not there, or any byte of it is not what its hash names.
    """
    manifest = await load_manifest(store, snapshot_id)
    axes = _axes(manifest, start, end)
    names = tuple(dict.fromkeys((*fields, "close")))
    values: dict[Field, FloatArray] = {name: np.full((axes.sessions.size, len(axes.tickers)), np.nan) for name in names}
    gate = asyncio.Semaphore(_CONCURRENCY)
    spans = [span for span in manifest.spans if _overlaps(span, axes)]
    await _gathered(*(_fill(store, span, axes, values, gate) for span in spans))
    actions, members = await _gathered(
        read_table(store, manifest.tables["actions"]), read_table(store, manifest.tables["members"])
    )
    return PricePanel(
        sessions=axes.sessions,
        tickers=axes.tickers,
        fields=values,
        actions=_actions(actions, axes),
        member=_members(members, axes),
    )


async def _gathered(*jobs: Coroutine[None, None, T]) -> list[T]:
    """Results of all jobs; when one fails, the failure is raised once all have ended, so that no read outlives it."""
    results = await asyncio.gather(*jobs, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[T]", results)


def _axes(manifest: Manifest, start: dt.date | None, end: dt.date | None) -> _Axes:
    sessions = np.array([day for span in manifest.spans for day in span.sessions], dtype="datetime64[D]")
    keep = np.ones(sessions.size, dtype=np.bool_)
    if start is not None:
        keep &= sessions >= np.datetime64(start, "D")
    if end is not None:
        keep &= sessions <= np.datetime64(end, "D")
    if not keep.any():
        raise PanelError(f"no session from {start} to {end}: the snapshot holds {sessions[0]} to {sessions[-1]}")
    tickers = tuple(sorted({ticker for span in manifest.spans for ticker in span.tickers}))
    return _Axes(sessions=sessions[keep], tickers=tickers)


def _overlaps(span: Span, axes: _Axes) -> bool:
    first, last = np.datetime64(span.first, "D"), np.datetime64(span.last, "D")
    return bool(first <= axes.sessions[-1] and last >= axes.sessions[0])


async def _fill(
    store: ObjectStore, span: Span, axes: _Axes, values: dict[Field, FloatArray], gate: asyncio.Semaphore
) -> None:
    names = [FOOTER, *values]
    parts = await _gathered(*(_fetched(store, span, name, gate) for name in names))
    layout = BlockLayout(size=span.size, ranges=span.ranges)
    shape = (len(span.sessions), len(span.tickers))
    decoded = decode_columns(layout, dict(zip(names, parts, strict=True)), list(values), shape)
    sessions = np.array(span.sessions, dtype="datetime64[D]")
    inside = (sessions >= axes.sessions[0]) & (sessions <= axes.sessions[-1])
    first = int(np.searchsorted(axes.sessions, sessions[inside][0]))
    rows = slice(first, first + int(inside.sum()))
    columns = np.searchsorted(axes.tickers, span.tickers)
    for name, matrix in values.items():
        if len(span.tickers) == len(axes.tickers):
            matrix[rows] = decoded[name][inside]
        else:
            matrix[rows, columns] = decoded[name][inside]


async def _fetched(store: ObjectStore, span: Span, name: str, gate: asyncio.Semaphore) -> bytes:
    part = span.ranges[name]
    async with gate:
        data = await store.get(span.object, start=part.offset, length=part.length)
    verify(span.object, data, part.sha256)
    return data


def _actions(table: pa.Table, axes: _Axes) -> CorporateActions:
    """Actions of the panel's sessions; an ex-date that is no session counts on the next one."""
    ratios: dict[tuple[int, int], float] = {}
    dividends: dict[tuple[int, int], float] = {}
    column_of = {ticker: column for column, ticker in enumerate(axes.tickers)}
    for action in table.to_pylist():
        row = int(np.searchsorted(axes.sessions, np.datetime64(action["ex_date"], "D")))
        before_panel = np.datetime64(action["ex_date"], "D") < axes.sessions[0]
        if before_panel or row == axes.sessions.size or action["ticker"] not in column_of:
            continue
        place = row, column_of[action["ticker"]]
        if action["kind"] == "split":
            ratios[place] = ratios.get(place, 1.0) * action["value"]
        elif action["kind"] == "dividend":
            dividends[place] = dividends.get(place, 0.0) + action["value"]
    places = sorted(ratios.keys() | dividends.keys())
    return CorporateActions(
        rows=np.array([row for row, _ in places], dtype=np.intp),
        columns=np.array([column for _, column in places], dtype=np.intp),
        split_ratios=np.array([ratios.get(place, 1.0) for place in places]),
        dividends=np.array([dividends.get(place, 0.0) for place in places]),
    )


def _members(table: pa.Table, axes: _Axes) -> BoolArray:
    stays = [Membership(**row) for row in table.to_pylist()]
    return member_matrix(axes.sessions, axes.tickers, stays)
