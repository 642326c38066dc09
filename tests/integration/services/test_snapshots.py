"""Snapshots built from both databases, and the panels that come of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from aws.errors import CorruptObjectError, UnknownSnapshotError
from aws.snapshots import current_snapshot, load_manifest
from backend.database.actions import ActionRecord, put_actions
from backend.database.connection import make_engine, transaction
from backend.database.errors import UnknownUniverseError
from backend.database.migrations import migrate
from backend.database.models.market import Bar
from backend.database.universes import UniverseRecord, put_members, put_universe
from backend.services.errors import EmptyUniverseError
from backend.services.snapshots import build_snapshot
from strategy.errors import PanelError
from strategy.fast_data_loader import load_panel, load_stays, load_suspects
from strategy.universe import Membership
from support.stores import MemoryStore

MONDAY = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
UNIVERSE = UniverseRecord(
    key="U", name="U", currency="USD", calendar="XNYS", benchmark=None, source="files", source_options={}
)
#: (ticker, date, close): A over three years, B ends in 2022, C begins in 2024.
CLOSES = [
    ("A", dt.date(2022, 3, 1), 10.0),
    ("A", dt.date(2022, 3, 2), 11.0),
    ("A", dt.date(2023, 5, 1), 12.0),
    ("A", dt.date(2024, 1, 4), 6.5),
    ("A", dt.date(2024, 1, 5), 7.0),
    ("B", dt.date(2022, 3, 1), 20.0),
    ("B", dt.date(2022, 3, 2), 21.0),
    ("C", dt.date(2024, 1, 5), 30.0),
]


def bar(ticker: str, date: dt.date, close: float, known_at: dt.datetime) -> dict[str, object]:
    fields = {"open": close - 0.5, "high": close + 1, "low": close - 1, "close": close, "volume": 100.0}
    return {"ticker": ticker, "date": date, **fields, "source": "files", "known_at": known_at}


async def add_bars(engine: AsyncEngine, rows: Sequence[dict[str, object]]) -> None:
    async with transaction(engine) as connection:
        await connection.execute(insert(Bar), list(rows))


async def restate(engine: AsyncEngine, ticker: str, date: dt.date, close: float, known_at: dt.datetime) -> None:
    async with transaction(engine) as connection:
        changed = update(Bar).where(Bar.ticker == ticker, Bar.date == date)
        await connection.execute(changed.values(close=close, known_at=known_at))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Both databases, holding the universe U as it was known on Monday."""
    migrate(database_url)
    made = make_engine(database_url)
    async with transaction(made) as connection:
        await put_universe(connection, UNIVERSE, known_at=MONDAY)
        stays = [
            Membership(ticker="A", start_date=dt.date(2022, 3, 1), end_date=None),
            Membership(ticker="B", start_date=dt.date(2022, 3, 1), end_date=dt.date(2022, 3, 1)),
            Membership(ticker="C", start_date=dt.date(2024, 1, 5), end_date=None),
        ]
        await put_members(connection, "U", stays, known_at=MONDAY)
        # The ex-date is a Monday that is no session of this universe: it counts on the next one, 2024-01-04.
        split = ActionRecord(ticker="A", ex_date=dt.date(2024, 1, 1), kind="split", value=2.0, known_at=MONDAY)
        await put_actions(connection, [split], source="files")
    await add_bars(made, [bar(*row, MONDAY) for row in CLOSES])
    yield made
    await made.dispose()


async def test_a_panel_holds_exactly_the_stored_bars(engine: AsyncEngine) -> None:
    store = MemoryStore()
    built = await build_snapshot(engine, store, "U")
    panel = await load_panel(store, built.snapshot_id, fields=("open", "high", "low", "close", "volume"))
    nan = np.nan
    assert panel.tickers == ("A", "B", "C")
    assert [str(day) for day in panel.sessions] == [
        "2022-03-01",
        "2022-03-02",
        "2023-05-01",
        "2024-01-04",
        "2024-01-05",
    ]
    expected = [[10, 20, nan], [11, 21, nan], [12, nan, nan], [6.5, nan, nan], [7, nan, 30]]
    np.testing.assert_array_equal(panel.close_prices, expected)
    np.testing.assert_array_equal(panel.field("open"), np.array(expected) - 0.5)
    np.testing.assert_array_equal(panel.field("volume"), np.where(np.isnan(expected), nan, 100.0))


async def test_members_and_actions_come_with_the_panel(engine: AsyncEngine) -> None:
    store = MemoryStore()
    panel = await load_panel(store, (await build_snapshot(engine, store, "U")).snapshot_id)
    assert panel.member.tolist() == [
        [True, True, False],
        [True, False, False],
        [True, False, False],
        [True, False, False],
        [True, False, True],
    ]
    assert panel.actions.rows.tolist() == [3]
    assert panel.actions.columns.tolist() == [0]
    assert panel.actions.split_ratios.tolist() == [2.0]
    # By hand: 10, 11, 12, then twice 6.5 and twice 7, since one share became two.
    np.testing.assert_array_equal(panel.prices[:, 0], [10, 11, 12, 13, 14])


async def test_the_manifest_counts_and_dates_what_is_in_it(engine: AsyncEngine) -> None:
    store = MemoryStore()
    built = await build_snapshot(engine, store, "U")
    manifest = await load_manifest(store, built.snapshot_id)
    assert manifest.as_of == MONDAY == built.as_of
    assert dict(manifest.quality) == {"good": 8, "suspect": 0}
    assert manifest.n_bars == built.n_bars == 8
    # The first quarter of 2022 is closed; from the fourth on, the span is open.
    assert (str(manifest.first), str(manifest.last), len(manifest.days)) == ("2022-03-01", "2024-01-05", 5)
    assert manifest.tickers == ("A", "B", "C")
    assert [span.n_sessions for span in manifest.spans] == [2, 3]
    assert [span.tickers for span in manifest.spans] == [(0, 1), (0, 2)]


async def test_building_again_writes_nothing(engine: AsyncEngine) -> None:
    store = MemoryStore()
    first = await build_snapshot(engine, store, "U")
    n_writes = len(store.writes)
    again = await build_snapshot(engine, store, "U")
    assert first.is_new
    assert again == replace(first, is_new=False)
    assert len(store.writes) == n_writes


async def test_a_new_day_rewrites_only_the_open_span(engine: AsyncEngine) -> None:
    store = MemoryStore()
    first = await load_manifest(store, (await build_snapshot(engine, store, "U")).snapshot_id)
    await add_bars(engine, [bar("A", dt.date(2024, 1, 8), 8.0, TUESDAY)])
    built = await build_snapshot(engine, store, "U")
    second = await load_manifest(store, built.snapshot_id)
    assert second.spans[0] == first.spans[0]
    assert second.spans[1].columns["close"].object != first.spans[1].columns["close"].object
    assert await current_snapshot(store, "U") == built.snapshot_id
    assert second.as_of == TUESDAY


async def test_a_snapshot_of_a_past_moment_is_the_one_built_then(engine: AsyncEngine) -> None:
    store = MemoryStore()
    then = (await build_snapshot(engine, store, "U")).snapshot_id
    await restate(engine, "A", dt.date(2022, 3, 2), 11.25, TUESDAY)
    await add_bars(engine, [bar("A", dt.date(2024, 1, 8), 8.0, TUESDAY)])
    now = (await build_snapshot(engine, store, "U")).snapshot_id
    later = MemoryStore()
    rebuilt = await build_snapshot(engine, later, "U", as_of=MONDAY + dt.timedelta(hours=1))
    assert rebuilt.snapshot_id == then != now
    assert {key: later.objects[key] for key in later.objects} == {key: store.objects[key] for key in later.objects}
    assert await current_snapshot(later, "U") is None
    panel = await load_panel(store, now)
    assert panel.close_prices[1, 0] == 11.25


async def test_only_the_wanted_columns_and_spans_are_fetched(engine: AsyncEngine) -> None:
    store = MemoryStore()
    snapshot = (await build_snapshot(engine, store, "U")).snapshot_id
    store.reads.clear()
    await load_panel(store, snapshot, fields=("close",), start=dt.date(2024, 1, 1))
    column = (await load_manifest(store, snapshot)).spans[-1].columns["close"]
    (chunk,) = column.chunks
    closes = (column.object, chunk.offset, chunk.length)
    assert store.reads == [(f"snapshots/{snapshot}.json", None, None), closes]
    # The manifest is remembered: under its hash it is the same for ever.
    await load_panel(store, snapshot, fields=("close",), start=dt.date(2024, 1, 1))
    assert store.reads[2:] == [closes]


async def test_the_manifest_of_one_store_is_not_taken_for_that_of_another(engine: AsyncEngine) -> None:
    store = MemoryStore()
    snapshot = (await build_snapshot(engine, store, "U")).snapshot_id
    await load_manifest(store, snapshot)
    with pytest.raises(UnknownSnapshotError):
        await load_manifest(MemoryStore(), snapshot)


@pytest.mark.parametrize("field", ["open", "close"])
async def test_a_changed_byte_is_caught_by_the_hash_of_its_chunk(engine: AsyncEngine, field: str) -> None:
    store = MemoryStore()
    snapshot = (await build_snapshot(engine, store, "U")).snapshot_id
    column = (await load_manifest(store, snapshot)).spans[0].columns[field]
    data = bytearray(store.objects[column.object])
    data[column.chunks[0].offset] ^= 1
    store.objects[column.object] = bytes(data)
    with pytest.raises(CorruptObjectError, match=column.object):
        await load_panel(store, snapshot)


async def test_a_changed_manifest_is_caught_by_its_id(engine: AsyncEngine) -> None:
    store = MemoryStore()
    snapshot = (await build_snapshot(engine, store, "U")).snapshot_id
    key = f"snapshots/{snapshot}.json"
    store.objects[key] = store.objects[key].replace(b'"USD"', b'"AUD"')
    with pytest.raises(CorruptObjectError, match=snapshot):
        await load_panel(store, snapshot)


async def test_what_is_not_there_is_named(engine: AsyncEngine) -> None:
    store = MemoryStore()
    with pytest.raises(UnknownUniverseError, match="MARS"):
        await build_snapshot(engine, store, "MARS")
    with pytest.raises(EmptyUniverseError, match="parakeet ingest U"):
        await build_snapshot(engine, store, "U", as_of=MONDAY - dt.timedelta(days=1))
    with pytest.raises(UnknownSnapshotError):
        await load_panel(store, "0" * 64)
    snapshot = (await build_snapshot(engine, store, "U")).snapshot_id
    with pytest.raises(PanelError, match="2022-03-01 to 2024-01-05"):
        await load_panel(store, snapshot, start=dt.date(2025, 1, 1))


async def test_suspect_bars_and_members_without_any_bar_are_known_to_whoever_audits(engine: AsyncEngine) -> None:
    store = MemoryStore()
    async with transaction(engine) as connection:
        suspect = update(Bar).where(Bar.ticker == "A", Bar.date == dt.date(2022, 3, 2))
        await connection.execute(suspect.values(data_quality="suspect", metadata_={"rules": ["gap", "stale"]}))
        lost = Membership(ticker="LOST", start_date=dt.date(2022, 3, 1), end_date=None)
        await put_members(connection, "U", [lost], known_at=MONDAY)
    snapshot = (await build_snapshot(engine, store, "U")).snapshot_id
    manifest, panel = await load_manifest(store, snapshot), await load_panel(store, snapshot)
    suspects = await load_suspects(store, manifest, panel)
    assert suspects is not None
    assert [str(panel.sessions[row]) for row in suspects.rows] == ["2022-03-02"]
    assert (suspects.columns.tolist(), suspects.rules) == ([0], (("gap", "stale"),))
    assert lost in await load_stays(store, manifest)
    assert "LOST" not in panel.tickers


async def test_a_snapshot_without_suspect_bars_has_no_list_of_them(engine: AsyncEngine) -> None:
    store = MemoryStore()
    manifest = await load_manifest(store, (await build_snapshot(engine, store, "U")).snapshot_id)
    assert set(manifest.tables) == {"actions", "members"}
    suspects = await load_suspects(store, manifest, await load_panel(store, (await current_snapshot(store, "U")) or ""))
    assert suspects is not None
    assert suspects.rows.size == 0
    older = replace(manifest, quality={"good": 7, "suspect": 1})
    assert (
        await load_suspects(store, older, await load_panel(store, (await current_snapshot(store, "U")) or "")) is None
    )
