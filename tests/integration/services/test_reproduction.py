"""A result can be made again: from the facts alone, when the cache and the stored results are gone."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

from sqlalchemy import create_engine, text

from backend.config import Settings
from backend.resources import Resources
from backend.services.backtests import BacktestRequest, StoredBacktest, run_backtest
from backend.services.snapshots import build_snapshot
from strategy.backtest.spec import Execution
from support.platform import opened

UNIVERSE = "SAMPLE_US20"
MOMENT = dt.datetime(2026, 1, 5, 22, tzinfo=dt.UTC)


async def result_of(resources: Resources) -> StoredBacktest:
    await build_snapshot(resources.engine, resources.store, UNIVERSE)
    # A spec that no other test runs, so that it is computed here.
    request = BacktestRequest(
        strategy="dual_momentum",
        universe=UNIVERSE,
        parameters={"lookback": 203, "top_n": 4},
        execution=Execution(fill="next_close"),
    )
    return await run_backtest(resources.engine, resources.store, request, origin="cli", clock=lambda: MOMENT)


async def test_deleting_cache_and_results_and_making_them_again_gives_the_same_bytes(sample_settings: Settings) -> None:
    cache = Path(str(sample_settings.cache_url))
    async with opened(sample_settings) as resources:
        first = await result_of(resources)
    shutil.rmtree(cache)
    engine = create_engine(sample_settings.direct_source_url())
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM backtests WHERE id = :id"), {"id": first.id})
    engine.dispose()
    async with opened(sample_settings) as resources:
        again = await result_of(resources)
    assert first.is_new
    assert again.is_new
    # The document names its tables by the hashes of their bytes.
    assert (again.id, again.document) == (first.id, first.document)
