"""The main job on the bundled sample, end to end: what `scripts/run` shows on a new machine."""

from __future__ import annotations

from backend.commands.backtest import stored_documents
from backend.commands.ingest import IngestOrder, run_ingest
from backend.commands.terminal import console, progress_bar
from backend.config import Settings
from backend.database.connection import transaction
from backend.database.errors import UnknownUniverseError
from backend.database.ingest_runs import recent_runs
from backend.database.universes import get_universe
from backend.ingest.sources.sample import SAMPLES
from backend.resources import Resources
from backend.services.backtests import BacktestRequest
from backend.services.snapshots import build_snapshot
from strategy.backtest.spec import Execution

UNIVERSE = "SAMPLE_US20"


async def run_quickstart(resources: Resources, settings: Settings, *, is_quiet: bool) -> list[str]:
    """Ingest, snapshot, and two backtests; returns their documents. What was done before is not repeated."""
    for universe in SAMPLES:
        if not await _is_ingested(resources, universe):
            await _ingest(resources, settings, universe, is_quiet=is_quiet)
        with progress_bar(f"snapshot {universe}", is_hidden=is_quiet) as report:
            built = await build_snapshot(resources.engine, resources.store, universe, progress=report)
        if not is_quiet:
            size = f"{built.n_sessions:,} sessions x {built.n_tickers} tickers"
            console.print(f"{universe}: {size}, snapshot {built.snapshot_id[:12]}")
    # Closes are all that this sample has, so orders fill at the next close.
    execution = Execution(fill="next_close")
    requests = [
        BacktestRequest(strategy=strategy, universe=UNIVERSE, execution=execution)
        for strategy in ("dual_momentum", "equal_weight")
    ]
    with progress_bar("backtests", is_hidden=is_quiet):
        return await stored_documents(resources, requests)


async def _is_ingested(resources: Resources, universe: str) -> bool:
    async with transaction(resources.engine) as connection:
        try:
            await get_universe(connection, universe)
        except UnknownUniverseError:
            return False
        runs = await recent_runs(connection, universe_key=universe, limit=1)
    return bool(runs) and runs[0].status == "succeeded"


async def _ingest(resources: Resources, settings: Settings, universe: str, *, is_quiet: bool) -> None:
    order = IngestOrder(
        universe=universe,
        source="sample",
        path=None,
        columns=(),
        has_dated_symbols=False,
        tickers=None,
        lookback_days=0,
        is_full=True,
    )
    with progress_bar(f"ingest {universe}", is_hidden=is_quiet) as report:
        done = await run_ingest(resources, settings, order, progress=report)
    if not is_quiet:
        console.print(f"{universe}: {done.inserted:,} bars ingested from the bundled sample")
