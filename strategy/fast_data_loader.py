"""Panels from the cache: the one door through which data come into the core.

1. The manifest of the snapshot tells the sessions, the tickers, and which chunks overlap the dates asked for.
2. Of each span only those chunks of the wanted columns are fetched, verified, and decoded straight into one matrix per
   field (`aws.block_reader`); a ticker that a span does not have stays NaN there.
3. Corporate actions and members are in the manifest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aws.block_reader import ChunkRead, read_chunks
from aws.facts import is_given, numbers_of, places_of, read_facts, texts_of
from aws.gathering import gathered
from aws.manifest import Manifest, Span
from aws.object_store import ObjectStore
from aws.snapshots import load_manifest
from strategy.adjustments import CorporateActions
from strategy.errors import PanelError
from strategy.panel import BoolArray, DateArray, Field, FloatArray, IntArray, PricePanel
from strategy.universe import Membership, member_matrix
from strategy.validation.bars_used import SuspectBars


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axes:
    """Sessions and tickers of the panel; `first` and `stop` are its rows among all sessions of the snapshot."""

    sessions: DateArray
    tickers: tuple[str, ...]
    column_of: Mapping[str, int]
    first: int
    stop: int


#: Kinds of actions that a panel has a place for.
_KINDS = {"split": 0, "dividend": 1, "delisting": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Events:
    """What happened to instruments, of all of the snapshot: a row each.

    Days since 1970-01-01, columns of the panel and places in `_KINDS`, -1 where there is none; values are undefined
    where none is given.
    """

    days: NDArray[np.int32]
    columns: IntArray
    kinds: IntArray
    values: FloatArray
    is_given: BoolArray


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
    UnknownSnapshotError, CorruptObjectError, StoreUnavailableError
        If the snapshot is not there, any byte of it is not what its hash names, or the cache does not answer.
    """
    manifest = await load_manifest(store, snapshot_id)
    axes = _axes(manifest, start, end)
    shape = (axes.sessions.size, len(axes.tickers))
    values: dict[Field, FloatArray] = {name: np.empty(shape) for name in dict.fromkeys((*fields, "close"))}
    reads = [read for name, matrix in values.items() for read in _reads(manifest.spans, axes, name, matrix)]
    _, (actions, terminal_returns), member = await gathered(
        read_chunks(store, reads), _events(store, manifest, axes), _members(store, manifest, axes)
    )
    return PricePanel(
        sessions=axes.sessions,
        tickers=axes.tickers,
        fields=values,
        actions=actions,
        member=member,
        terminal_returns=terminal_returns,
        has_checked_values=True,
    )


async def load_stays(store: ObjectStore, manifest: Manifest) -> tuple[Membership, ...]:
    """Every stay in the universe of a snapshot, of members that have no bar, and so no column in its panel, as well."""
    table = await read_facts(store, manifest, "members")
    tickers = texts_of(table.column("ticker"))
    starts, ends = (_days(table.column(name)).tolist() for name in ("start_date", "end_date"))
    return tuple(
        Membership(ticker=ticker, start_date=start, end_date=end)
        for ticker, start, end in zip(tickers, starts, ends, strict=True)
    )


async def load_suspects(store: ObjectStore, manifest: Manifest, panel: PricePanel) -> SuspectBars | None:
    """Bars of the panel that break a rule; None where the snapshot is older than their list, and has some."""
    if not manifest.quality.get("suspect"):
        none = np.empty(0, dtype=np.intp)
        return SuspectBars(rows=none, columns=none, rules=())
    if "suspects" not in manifest.tables:
        return None
    table = await read_facts(store, manifest, "suspects")
    days, columns = (
        numbers_of(table.column("date")).astype("datetime64[D]"),
        places_of(table.column("ticker"), _columns(panel.tickers)),
    )
    rows = np.searchsorted(panel.sessions, days)
    inside = np.flatnonzero((columns >= 0) & (rows < panel.n_dates))
    inside = inside[panel.sessions[rows[inside]] == days[inside]]
    rules = texts_of(table.column("rules"))
    return SuspectBars(
        rows=rows[inside], columns=columns[inside], rules=tuple(tuple(rules[number].split(",")) for number in inside)
    )


def _axes(manifest: Manifest, start: dt.date | None, end: dt.date | None) -> _Axes:
    sessions = np.array(manifest.days, dtype=np.int64).view("datetime64[D]")
    first = 0 if start is None else int(np.searchsorted(sessions, np.datetime64(start, "D")))
    stop = sessions.size if end is None else int(np.searchsorted(sessions, np.datetime64(end, "D"), side="right"))
    if first >= stop:
        raise PanelError(f"no session from {start} to {end}: the snapshot holds {sessions[0]} to {sessions[-1]}")
    tickers = manifest.tickers
    return _Axes(sessions=sessions[first:stop], tickers=tickers, column_of=_columns(tickers), first=first, stop=stop)


def _columns(tickers: Sequence[str]) -> dict[str, int]:
    return {ticker: column for column, ticker in enumerate(tickers)}


def _reads(spans: Sequence[Span], axes: _Axes, name: Field, matrix: FloatArray) -> Iterator[ChunkRead]:
    """What must be read of one field; rows of spans that lack a ticker are made NaN first."""
    begin = 0
    for span in spans:
        end = begin + span.n_sessions
        if span.tickers is not None:
            matrix[max(begin - axes.first, 0) : max(end - axes.first, 0)] = np.nan
        columns = None if span.tickers is None else np.array(span.tickers, dtype=np.intp)
        n_tickers = len(axes.tickers) if columns is None else columns.size
        for number, chunk in enumerate(span.columns[name].chunks):
            at = begin + number * span.sessions_per_chunk
            n_sessions = min(span.sessions_per_chunk, end - at)
            low, high = max(at, axes.first), min(at + n_sessions, axes.stop)
            if low < high:
                yield ChunkRead(
                    key=span.columns[name].object,
                    chunk=chunk,
                    shape=(n_sessions, n_tickers),
                    rows=slice(low - at, high - at),
                    columns=columns,
                    out=matrix[low - axes.first : high - axes.first],
                )
        begin = end


async def _events(store: ObjectStore, manifest: Manifest, axes: _Axes) -> tuple[CorporateActions, FloatArray | None]:
    """Splits and dividends of the panel's sessions, and what was paid for the delisted, where that is known."""
    table = await read_facts(store, manifest, "actions")
    events = _Events(
        days=numbers_of(table.column("ex_date")),
        columns=places_of(table.column("ticker"), axes.column_of),
        kinds=places_of(table.column("kind"), _KINDS),
        values=numbers_of(table.column("value")),
        is_given=is_given(table.column("value")),
    )
    return _actions(events, axes), _terminal_returns(events, axes)


def _actions(events: _Events, axes: _Axes) -> CorporateActions:
    """Actions of the panel's sessions; an ex-date that is no session counts on the next one."""
    days, kinds = events.days, events.kinds
    first, last = axes.sessions[[0, -1]].astype(np.int32)
    is_action = (kinds == _KINDS["split"]) | (kinds == _KINDS["dividend"])
    inside = np.flatnonzero((days >= first) & (days <= last) & (events.columns >= 0) & is_action)
    # There are more actions than days, and looking a day up in a table is quicker than searching it.
    row_of_day = np.searchsorted(axes.sessions, np.arange(axes.sessions[0], axes.sessions[-1] + 1))
    rows, columns = row_of_day[days[inside] - first], events.columns[inside]
    values, is_split = events.values[inside], kinds[inside] == _KINDS["split"]
    return CorporateActions.joined(rows, columns, np.where(is_split, values, 1.0), np.where(is_split, 0.0, values))


def _terminal_returns(events: _Events, axes: _Axes) -> FloatArray | None:
    """Return on the last close of each asset that was delisted up to the last session, where it is known."""
    is_delisting = (events.kinds == _KINDS["delisting"]) & events.is_given
    last = axes.sessions[-1].astype(np.int32)
    inside = np.flatnonzero(is_delisting & (events.columns >= 0) & (events.days <= last))
    if not inside.size:
        return None
    returns = np.full(len(axes.tickers), np.nan)
    returns[events.columns[inside]] = events.values[inside]
    return returns


async def _members(store: ObjectStore, manifest: Manifest, axes: _Axes) -> BoolArray:
    table = await read_facts(store, manifest, "members")
    return member_matrix(
        axes.sessions,
        len(axes.tickers),
        columns=places_of(table.column("ticker"), axes.column_of),
        start_dates=_days(table.column("start_date")),
        end_dates=_days(table.column("end_date")),
    )


def _days(dates: pa.ChunkedArray) -> DateArray:
    """Dates, NaT where there is none."""
    days = numbers_of(dates).astype("datetime64[D]")
    return np.where(is_given(dates), days, np.datetime64("NaT"))
