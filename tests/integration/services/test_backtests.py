"""Running a spec once: what is read of the cache, and that nothing is stored of what could not be written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from aws.errors import StoreUnavailableError
from aws.folder_cache import FolderCache
from backend.config import Settings
from backend.database.connection import transaction
from backend.database.trials import count_trials
from backend.resources import Resources
from backend.services.backtests import BacktestRequest, run_backtest
from strategy.backtest.spec import Execution
from support.platform import opened

REQUEST = BacktestRequest(
    strategy="momentum",
    universe="SAMPLE_US20",
    parameters={"lookback": 123, "top_n": 3},
    execution=Execution(fill="next_close"),
)


class WatchedCache(FolderCache):
    """A folder that remembers which objects were read, and cannot be written when it is full."""

    def __init__(self, root: Path, *, is_full: bool = False) -> None:
        super().__init__(root)
        self.reads: list[str] = []
        self._is_full = is_full

    async def get(self, key: str, *, start: int | None = None, length: int | None = None) -> bytes:
        self.reads.append(key)
        return await super().get(key, start=start, length=length)

    async def put_all(self, objects: Mapping[str, bytes]) -> None:
        if self._is_full:
            raise StoreUnavailableError(next(iter(objects)), "no space left")
        await super().put_all(objects)


async def n_trials(resources: Resources) -> int:
    async with transaction(resources.engine) as connection:
        return sum(count.n_specs for count in (await count_trials(connection)).values())


async def test_neither_a_second_spec_of_a_snapshot_nor_a_known_one_reads_an_object(sample_settings: Settings) -> None:
    cache = WatchedCache(Path(sample_settings.cache_url))
    async with opened(sample_settings) as resources:
        first = await run_backtest(resources.engine, cache, REQUEST, origin="cli")
        assert any(key.startswith("objects/") for key in cache.reads)
        cache.reads.clear()
        other = replace(REQUEST, parameters={"lookback": 124, "top_n": 3})
        assert (await run_backtest(resources.engine, cache, other, origin="cli")).is_new
        assert cache.reads == []
        cache.reads.clear()
        again = await run_backtest(resources.engine, cache, REQUEST, origin="cli")
    assert cache.reads == []
    assert (first.is_new, again.is_new) == (True, False)
    assert again.document == first.document


async def test_of_many_that_run_a_new_spec_at_once_one_is_first_and_all_are_served_its_document(
    sample_settings: Settings,
) -> None:
    async with opened(sample_settings) as resources:
        before = await n_trials(resources)
        runs = [run_backtest(resources.engine, resources.store, REQUEST, origin="cli") for _ in range(6)]
        found = await asyncio.gather(*runs)
        assert await n_trials(resources) == before + 1
    assert {stored.document for stored in found} == {found[0].document}
    assert sum(stored.is_new for stored in found) == 1


async def test_a_result_whose_tables_cannot_be_written_is_not_stored_and_can_be_run_again(
    sample_settings: Settings,
) -> None:
    root = Path(sample_settings.cache_url)
    async with opened(sample_settings) as resources:
        before = await n_trials(resources)
        with pytest.raises(StoreUnavailableError, match="no space left"):
            await run_backtest(resources.engine, WatchedCache(root, is_full=True), REQUEST, origin="cli")
        assert await n_trials(resources) == before
        assert (await run_backtest(resources.engine, WatchedCache(root), REQUEST, origin="cli")).is_new
        assert await n_trials(resources) == before + 1
