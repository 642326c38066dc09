"""Panels of specs: loaded once for each snapshot, span, currency and set of columns, and shared."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from aws.errors import ObjectNotFoundError, UnknownSnapshotError
from backend.services.panels import memory_of, panels_of
from strategy.backtest.costs import CostModel
from strategy.backtest.spec import BacktestSpec, Execution
from strategy.panel import FloatArray, PricePanel
from support.panels import business_days
from support.snapshots import published
from support.stores import MemoryStore

DAYS: list[dt.date] = business_days(6).astype(object).tolist()
CLOSES = np.arange(1.0, 13.0).reshape(6, 2)


async def snapshot_of(store: MemoryStore, closes: FloatArray) -> str:
    values = {"open": closes, "close": closes, "volume": 100 * closes}
    return await published(store, DAYS, ["T0", "T1"], values)


def spec_of(snapshot: str) -> BacktestSpec:
    return BacktestSpec(
        strategy="equal_weight",
        strategy_version=1,
        parameters={},
        universe="U",
        start=DAYS[0],
        end=DAYS[-1],
        base_currency="USD",
        costs=CostModel(),
        execution=Execution(rebalance="once"),
        benchmark=None,
        snapshot=snapshot,
    )


async def panel_of_spec(store: MemoryStore, spec: BacktestSpec) -> PricePanel:
    return (await panels_of(store, spec)).panel


async def test_specs_of_one_snapshot_share_a_panel_that_is_read_once() -> None:
    store = MemoryStore()
    spec = spec_of(await snapshot_of(store, CLOSES))
    others = [replace(spec, parameters={"top_n": number}, start=DAYS[1]) for number in range(9)]
    found = await asyncio.gather(*(panel_of_spec(store, each) for each in (spec, *others)))
    n_reads = len(store.reads)
    assert n_reads > 0
    assert all(panel is found[0] for panel in found)
    assert await panel_of_spec(store, spec) is found[0]
    assert len(store.reads) == n_reads
    np.testing.assert_array_equal(found[0].close_prices, CLOSES)


async def test_a_snapshot_of_changed_bars_has_a_panel_of_its_own() -> None:
    store = MemoryStore()
    first = await panel_of_spec(store, spec_of(await snapshot_of(store, CLOSES)))
    restated = CLOSES + np.eye(6, 2)
    other = await panel_of_spec(store, spec_of(await snapshot_of(store, restated)))
    np.testing.assert_array_equal(first.close_prices, CLOSES)
    np.testing.assert_array_equal(other.close_prices, restated)


async def test_another_end_or_other_columns_are_another_panel() -> None:
    store = MemoryStore()
    spec = spec_of(await snapshot_of(store, CLOSES))
    capped = replace(spec, execution=replace(spec.execution, volume_cap=0.1))
    assert (await panel_of_spec(store, replace(spec, end=DAYS[3]))).n_dates == 4
    assert set((await panel_of_spec(store, capped)).fields) == {"open", "close", "volume"}
    assert set((await panel_of_spec(store, spec)).fields) == {"open", "close"}
    assert (await panel_of_spec(store, spec)).n_dates == 6


async def test_a_panel_of_another_store_is_not_that_of_this_one() -> None:
    store, empty = MemoryStore(), MemoryStore()
    spec = spec_of(await snapshot_of(store, CLOSES))
    await panels_of(store, spec)
    with pytest.raises(UnknownSnapshotError, match=spec.snapshot):
        await panels_of(empty, spec)


async def test_a_panel_that_could_not_be_read_is_read_again() -> None:
    store = MemoryStore()
    spec = spec_of(await snapshot_of(store, CLOSES))
    blocks = {key: data for key, data in store.objects.items() if key.startswith("objects/")}
    for key in blocks:
        del store.objects[key]
    with pytest.raises(ObjectNotFoundError):
        await panels_of(store, spec)
    store.objects |= blocks
    np.testing.assert_array_equal((await panel_of_spec(store, spec)).close_prices, CLOSES)


async def test_nobody_can_write_to_what_all_share() -> None:
    store = MemoryStore()
    panel = await panel_of_spec(store, spec_of(await snapshot_of(store, CLOSES)))
    arrays = (
        *panel.fields.values(),
        panel.prices,
        panel.last_known_closes,
        panel.member,
        panel.active,
        panel.has_close,
    )
    for values in arrays:
        with pytest.raises(ValueError, match="read-only"):
            values[0, 0] = values[0, 0]


async def test_memory_is_that_of_every_array_once_and_grows_with_what_is_computed() -> None:
    store = MemoryStore()
    panels = await panels_of(store, spec_of(await snapshot_of(store, CLOSES)))
    # Opens and closes of 12 floats, 12 flags of members, 6 sessions; both panels are one.
    assert memory_of(panels) == 2 * 12 * 8 + 12 + 6 * 8
    assert panels.panel.prices is panels.panel.close_prices  # nothing is paid or split: no new array
    assert panels.panel.active.sum() == 12  # computes has_close, too
    assert memory_of(panels) == 2 * 12 * 8 + 12 + 6 * 8 + 2 * 12
    panels.panel.remembered("signal", lambda: np.ones(5))
    assert memory_of(panels) == 2 * 12 * 8 + 12 + 6 * 8 + 2 * 12 + 5 * 8
