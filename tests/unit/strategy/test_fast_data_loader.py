"""Panels from the cache: whatever the spans, the panel is the matrix that was stored."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws.folder_cache import FolderCache
from aws.local_copy import LocalCopy
from strategy.errors import PanelError
from strategy.fast_data_loader import load_panel
from support.panels import business_days
from support.snapshots import snapshot_of_closes
from support.stores import MemoryStore

#: Made by the code that wrote schema version 1, from the bars that test_snapshots.py of the integration tests stores.
OLD_FORMAT = Path(__file__).parents[1] / "aws" / "data" / "snapshot_v1"
OLD_SNAPSHOT = "0cff23c03c77df7263256a947c0ad31cb7ccb5c6fa9638214e6176ef5824c924"


def closes_of(seed: int, shape: tuple[int, int]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Positive values, a third of them missing; each ticker and each session has one."""
    rng = np.random.default_rng(seed)
    closes = rng.lognormal(3.0, 1.0, size=shape)
    is_missing = rng.random(shape) < 1 / 3
    is_missing[:, 0] = False
    is_missing[0, :] = False
    return np.where(is_missing, np.nan, closes)


@given(data=st.data(), seed=st.integers(0, 2**32 - 1), n_dates=st.integers(1, 40), n_assets=st.integers(1, 6))
@settings(deadline=None, max_examples=60)
def test_any_spans_and_any_dates_give_the_dense_matrix(
    data: st.DataObject, seed: int, n_dates: int, n_assets: int
) -> None:
    closes = closes_of(seed, (n_dates, n_assets))
    cuts = sorted(data.draw(st.sets(st.integers(1, n_dates - 1)))) if n_dates > 1 else []
    first = data.draw(st.integers(0, n_dates - 1))
    last = data.draw(st.integers(first, n_dates - 1))
    days = business_days(n_dates).astype(object).tolist()

    async def loaded() -> None:
        store = MemoryStore()
        snapshot = await snapshot_of_closes(store, closes, cuts=cuts)
        whole = await load_panel(store, snapshot, fields=("close",))
        np.testing.assert_array_equal(whole.close_prices, closes)
        part = await load_panel(store, snapshot, fields=("close",), start=days[first], end=days[last])
        np.testing.assert_array_equal(part.close_prices, closes[first : last + 1])
        np.testing.assert_array_equal(part.sessions, business_days(n_dates)[first : last + 1])

    asyncio.run(loaded())


@pytest.mark.parametrize("n_dates", [255, 256, 257, 700])
async def test_chunks_end_where_they_should(n_dates: int) -> None:
    closes = closes_of(1, (n_dates, 3))
    store = MemoryStore()
    snapshot = await snapshot_of_closes(store, closes)
    days = business_days(n_dates).astype(object).tolist()
    for first, last in [(0, n_dates - 1), (250, n_dates - 1), (10, 20), (n_dates - 1, n_dates - 1)]:
        panel = await load_panel(store, snapshot, fields=("close",), start=days[first], end=days[last])
        np.testing.assert_array_equal(panel.close_prices, closes[first : last + 1])


async def test_neighbouring_chunks_come_with_one_request() -> None:
    store = MemoryStore()
    snapshot = await snapshot_of_closes(store, closes_of(2, (1000, 2)), cuts=[900])
    store.reads.clear()
    await load_panel(store, snapshot, fields=("close",))
    # The manifest, four chunks of the first span, and the one of the second.
    assert len(store.reads) == 3


async def test_only_the_chunks_of_the_dates_are_fetched() -> None:
    store = MemoryStore()
    closes = closes_of(3, (1000, 2))
    snapshot = await snapshot_of_closes(store, closes)
    days = business_days(1000).astype(object).tolist()
    store.reads.clear()
    await load_panel(store, snapshot, fields=("close",))
    whole = store.reads[-1][2]
    await load_panel(store, snapshot, fields=("close",), start=days[300], end=days[400])
    part = store.reads[-1][2]
    assert part is not None
    assert whole is not None
    assert part < 0.4 * whole  # 256 of 1000 sessions


async def test_the_local_copy_gives_the_same_panel_without_the_store(tmp_path: Path) -> None:
    remote = MemoryStore()
    closes = closes_of(4, (600, 5))
    snapshot = await snapshot_of_closes(remote, closes, cuts=[500])
    store = LocalCopy(remote, tmp_path)
    await load_panel(store, snapshot, fields=("close",))
    remote.reads.clear()
    days = business_days(600).astype(object).tolist()
    for start in (None, days[300], days[550]):
        panel = await load_panel(store, snapshot, fields=("close",), start=start)
        np.testing.assert_array_equal(panel.close_prices, closes[-len(panel.close_prices) :])
    assert remote.reads == []


async def test_a_field_that_some_spans_lack_for_a_ticker_is_nan_there() -> None:
    closes = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, 4.0]])
    store = MemoryStore()
    panel = await load_panel(store, await snapshot_of_closes(store, closes, cuts=[2]), fields=("close",))
    np.testing.assert_array_equal(panel.close_prices, closes)


async def test_actions_of_one_cell_are_joined_and_others_left_out() -> None:
    days = business_days(6).astype(object).tolist()  # 2020-01-01, a Wednesday, to 2020-01-08

    def action(ticker: str, ex_date: dt.date, kind: str, value: float | None) -> dict[str, object]:
        return {"ticker": ticker, "ex_date": ex_date, "kind": kind, "value": value}

    actions = [
        action("T001", days[2], "dividend", 0.25),
        action("T001", days[2], "dividend", 0.5),
        action("T000", days[2], "split", 2.0),
        action("T000", days[2], "split", 3.0),
        action("T000", days[2], "dividend", 1.0),
        action("T000", dt.date(2020, 1, 4), "dividend", 0.125),  # a Saturday: counts on Monday
        action("T000", dt.date(2019, 12, 31), "split", 5.0),  # before the panel
        action("T000", dt.date(2020, 1, 9), "split", 5.0),  # after it
        action("T009", days[2], "split", 5.0),  # no ticker of it
        action("T000", days[3], "delisting", -1.0),
        action("T001", days[3], "symbol_change", 1.0),
    ]
    store = MemoryStore()
    snapshot = await snapshot_of_closes(store, np.ones((6, 2)), actions=actions)
    found = (await load_panel(store, snapshot, fields=("close",))).actions
    assert list(zip(found.rows.tolist(), found.columns.tolist(), strict=True)) == [(2, 0), (2, 1), (3, 0)]
    assert found.split_ratios.tolist() == [6.0, 1.0, 1.0]
    assert found.dividends.tolist() == [1.0, 0.75, 0.125]


async def test_dates_without_a_session_are_refused_with_those_there_are() -> None:
    store = MemoryStore()
    snapshot = await snapshot_of_closes(store, np.ones((3, 1)))
    with pytest.raises(PanelError, match="2020-01-01 to 2020-01-03"):
        await load_panel(store, snapshot, start=dt.date(2020, 1, 4), end=dt.date(2020, 1, 5))


async def test_a_snapshot_of_the_old_format_still_loads() -> None:
    panel = await load_panel(
        FolderCache(OLD_FORMAT), OLD_SNAPSHOT, fields=("open", "high", "low", "close", "volume"), end=None
    )
    nan = np.nan
    expected = np.array([[10, 20, nan], [11, 21, nan], [12, nan, nan], [6.5, nan, nan], [7, nan, 30]])
    assert panel.tickers == ("A", "B", "C")
    np.testing.assert_array_equal(panel.close_prices, expected)
    np.testing.assert_array_equal(panel.field("high"), expected + 1)
    assert panel.member.tolist() == [
        [True, True, False],
        [True, False, False],
        [True, False, False],
        [True, False, False],
        [True, False, True],
    ]
    assert panel.actions.split_ratios.tolist() == [2.0]
    part = await load_panel(FolderCache(OLD_FORMAT), OLD_SNAPSHOT, start=dt.date(2022, 3, 2), end=dt.date(2023, 12, 31))
    np.testing.assert_array_equal(part.close_prices, expected[1:3])
