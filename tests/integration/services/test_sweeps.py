"""Sweeps: every trial once, whoever is killed; budgets that hold; the same on a pool and in a Lambda."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import multiprocessing
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from aws.s3_cache import open_cache
from backend.database.connection import make_engine, transaction
from backend.database.jobs import SILENCE, claim_job
from backend.database.migrations import migrate
from backend.database.models.jobs import Job
from backend.database.models.results import Trial
from backend.database.sweeps import BatchRecord, done_batches, set_budget
from backend.database.universes import put_universe
from backend.services.backtests import BacktestRequest
from backend.services.clock import utc_now
from backend.services.errors import RequestError
from backend.services.ingest import sample_universe
from backend.services.jobs import Worker, cancelled_job, run_job
from backend.services.sweeps import working
from backend.services.sweeps.budgets import Budget, Price
from backend.services.sweeps.computing import BatchDone
from backend.services.sweeps.documents import sweep_document
from backend.services.sweeps.findings import trials_table
from backend.services.sweeps.means import SweepMeans
from backend.services.sweeps.starting import StartedSweep, SweepRequest, start_sweep, started
from backend.services.sweeps.working import finish_sweep, run_batch
from strategy.sweeps.axes import Axis
from strategy.sweeps.expansion import Space
from support.outbox import Outbox

PRICE = Price()
#: 33 trials make 17 batches of two.
LOOKBACKS = Axis(low=20, high=180, n_points=33)


@pytest.fixture
async def worker(sqlite_url: str, sample_folder: Path, tmp_path: Path) -> AsyncIterator[Worker]:
    """A worker with the sample's cache."""
    async with worker_on(sqlite_url, sample_folder, tmp_path) as made:
        yield made


@pytest.fixture
async def either_worker(database_url: str, sample_folder: Path, tmp_path: Path) -> AsyncIterator[Worker]:
    """The same on both databases."""
    async with worker_on(database_url, sample_folder, tmp_path) as made:
        yield made


@asynccontextmanager
async def worker_on(database_url: str, sample_folder: Path, tmp_path: Path) -> AsyncIterator[Worker]:
    """A worker on a database that knows the sample's universe, with the sample's cache."""
    migrate(database_url)
    engine = make_engine(database_url)
    async with transaction(engine) as connection:
        await put_universe(connection, sample_universe("us5"), known_at=utc_now())
    cache = tmp_path / "cache"
    shutil.copytree(sample_folder / "cache", cache)
    means = SweepMeans(cache_url=str(cache), n_processes=2, price=PRICE)
    yield Worker(engine=engine, store=open_cache(str(cache)), tiingo=lambda: None, concurrency=4, sweeps=means)
    await engine.dispose()


def request(budget: Budget | None = None, axis: Axis = LOOKBACKS) -> SweepRequest:
    base = BacktestRequest(strategy="dual_momentum", universe="SAMPLE_US5", start=dt.date(2008, 1, 2))
    return SweepRequest(base=base, space=Space(axes={"lookback": axis}), budget=budget or Budget())


async def begun(worker: Worker, asked: SweepRequest | None = None, queue: Outbox | None = None) -> StartedSweep:
    return await start_sweep(worker.engine, worker.store, queue or Outbox(), asked or request(), price=PRICE)


async def batches_of(worker: Worker, sweep_id: str) -> list[BatchRecord]:
    async with transaction(worker.engine) as connection:
        return await done_batches(connection, sweep_id)


async def n_ledger_lines(worker: Worker) -> int:
    async with transaction(worker.engine) as connection:
        return await connection.scalar(select(func.count()).select_from(Trial).where(Trial.origin == "sweep")) or 0


async def claimed(worker: Worker, job_id: str) -> None:
    """Let the job be worked on, as by a Lambda that started Step Functions."""
    async with transaction(worker.engine) as connection:
        assert await claim_job(connection, job_id, now=utc_now())


async def first_batch(worker: Worker, sweep_id: str) -> None:
    """Return when one batch or more is stored."""
    async with asyncio.timeout(60):
        while not await batches_of(worker, sweep_id):  # noqa: ASYNC110  only the row can tell
            await asyncio.sleep(0.01)


def kill_at_first_batch(monkeypatch: pytest.MonkeyPatch) -> list[tuple[BaseProcess, BatchRecord]]:
    """Kill a worker as soon as a first batch is stored, while others are handed out; tells which, and that batch."""
    others = set(multiprocessing.active_children())  # of a pool before, that still ends
    killed: list[tuple[BaseProcess, BatchRecord]] = []
    store = working._store

    async def store_and_kill(engine: AsyncEngine, done: BatchDone) -> None:
        await store(engine, done)
        if not killed:
            child = next(it for it in multiprocessing.active_children() if it not in others)
            child.kill()
            killed.append((child, done.batch))

    monkeypatch.setattr(working, "_store", store_and_kill)
    return killed


async def test_a_killed_worker_loses_nothing_and_repeats_nothing(
    either_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = (await begun(either_worker)).sweep
    killed = kill_at_first_batch(monkeypatch)
    job = await asyncio.wait_for(run_job(either_worker, sweep.job_id), timeout=60)
    ((child, before),) = killed
    child.join(timeout=10)
    after = await batches_of(either_worker, sweep.id)
    assert (job.status, job.attempts) == ("succeeded", 1)
    assert child.exitcode == -signal.SIGKILL
    assert before in after
    assert sum(batch.n_trials for batch in after) == 33
    assert await n_ledger_lines(either_worker) == 33
    table = await trials_table(either_worker.store, after)
    assert table.column("trial").to_pylist() == list(range(33))
    assert len(set(table.column("backtest_id").to_pylist())) == 33


async def test_a_worker_lambda_goes_on_where_another_was_lost(worker: Worker) -> None:
    queue = Outbox()
    sweep = (await begun(worker, queue=queue)).sweep
    assert queue.sent == [sweep.job_id]
    await claimed(worker, sweep.job_id)
    assert await run_batch(worker, sweep.id, 1) == "done"
    assert await run_batch(worker, sweep.id, 1) == "known"
    (first,) = await batches_of(worker, sweep.id)
    async with transaction(worker.engine) as connection:
        await connection.execute(update(Job).values(updated_at=utc_now() - SILENCE))
    again = await begun(worker, queue=queue)
    assert (again.job.status, queue.sent) == ("queued", [sweep.job_id] * 2)
    await claimed(worker, sweep.job_id)
    assert [await run_batch(worker, sweep.id, number) for number in range(3)] == ["done", "known", "done"]
    assert first in await batches_of(worker, sweep.id)
    assert await n_ledger_lines(worker) == 6


async def test_a_batch_is_the_same_bytes_from_a_pool_and_from_a_lambda(worker: Worker) -> None:
    pooled = (await begun(worker, request(axis=Axis(values=(63,))))).sweep
    await run_job(worker, pooled.job_id)
    alone = (await begun(worker, request(axis=Axis(values=(63, 126))))).sweep
    await claimed(worker, alone.job_id)
    await run_batch(worker, alone.id, 0)
    assert (await batches_of(worker, alone.id))[0].equity_key == (await batches_of(worker, pooled.id))[0].equity_key


async def test_a_sweep_that_step_functions_gave_up_on_says_why(worker: Worker) -> None:
    sweep = (await begun(worker)).sweep
    await claimed(worker, sweep.job_id)
    job = await finish_sweep(worker, sweep.id, error="batch 1: out of memory")
    assert (job.status, job.error) == ("failed", "batch 1: out of memory")


async def test_in_aws_the_batches_that_are_not_done_are_listed_for_step_functions(worker: Worker) -> None:
    asked: list[tuple[str, str, str]] = []

    async def fan_out(sweep_id: str, name: str, key: str) -> None:
        asked.append((sweep_id, name, key))

    sweep = (await begun(worker)).sweep
    in_aws = replace(worker, sweeps=replace(worker.sweeps, fan_out=fan_out))
    job = await run_job(in_aws, sweep.job_id)
    assert job.status == "running"  # the state machine's last state ends it
    ((sweep_id, name, key),) = asked
    assert (sweep_id, name[:32]) == (sweep.id, sweep.id[:32])
    assert len(name) <= 80  # Step Functions' limit
    items = json.loads(await worker.store.get(key))
    assert items == [{"sweep_id": sweep.id, "batch": number} for number in range(17)]


async def test_a_repeat_is_a_look_up(worker: Worker) -> None:
    queue = Outbox()
    asked = request(axis=Axis(values=(63,)))
    sweep = (await begun(worker, asked, queue)).sweep
    await claimed(worker, sweep.job_id)
    await run_batch(worker, sweep.id, 0)
    await finish_sweep(worker, sweep.id)
    done = await started(worker.engine, sweep.id)
    assert await begun(worker, asked, queue) == done
    assert queue.sent == [sweep.job_id]
    # The document is what the spec and the batches say, to the byte: the bootstrap is drawn by the spec's own seed.
    batches = await batches_of(worker, sweep.id)
    again = await sweep_document(worker.store, done.sweep, batches, reached=None, price=PRICE)
    assert again == done.sweep.document


async def test_a_cancelled_sweep_stops_keeps_what_is_done_and_can_go_on(worker: Worker) -> None:
    queue = Outbox()
    sweep = (await begun(worker)).sweep
    running = asyncio.create_task(run_job(worker, sweep.job_id))
    await first_batch(worker, sweep.id)
    await cancelled_job(worker.engine, sweep.job_id)
    assert (await asyncio.wait_for(running, timeout=60)).status == "cancelled"
    assert await run_batch(worker, sweep.id, 16) in {"cancelled", "known"}
    kept = await batches_of(worker, sweep.id)
    assert 0 < len(kept) <= 17
    assert (await begun(worker, queue=queue)).job.status == "queued"
    assert queue.sent == [sweep.job_id]


async def test_a_budget_that_is_used_up_ends_the_sweep_and_a_larger_one_goes_on(worker: Worker) -> None:
    sweep = (await begun(worker, request(Budget(seconds=1_000)))).sweep
    await claimed(worker, sweep.job_id)
    async with transaction(worker.engine) as connection:
        # As if the trials took longer than the one that was measured.
        await set_budget(connection, sweep.id, Budget(seconds=1e-9).to_json())
    assert await run_batch(worker, sweep.id, 0) == "done"
    assert await run_batch(worker, sweep.id, 1) == "budget reached"
    job = await finish_sweep(worker, sweep.id)
    assert job.result == {"sweep_id": sweep.id, "state": "budget reached", "n_done": 2}
    assert (await begun(worker, request(Budget(seconds=1e-9)))).job.status == "succeeded"
    assert (await begun(worker, request(Budget(seconds=1_000)))).job.status == "queued"


@pytest.mark.parametrize(
    ("budget", "field"),
    [(Budget(trials=32), "trials"), (Budget(seconds=1e-6), "seconds"), (Budget(dollars=1e-12), "dollars")],
)
async def test_what_does_not_fit_into_the_budget_is_not_begun(worker: Worker, budget: Budget, field: str) -> None:
    queue = Outbox()
    with pytest.raises(RequestError, match="raise the budget") as caught:
        await begun(worker, request(budget), queue)
    assert caught.value.field == f"budget.{field}"
    assert queue.sent == []
