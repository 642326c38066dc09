"""Jobs: begun once, done by one worker, told of while they run, tried twice, and ended in their row."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from backend.database.connection import make_engine, transaction
from backend.database.errors import UnknownUniverseError
from backend.database.jobs import SILENCE, WAIT, JobRecord, UnknownJobError, active_jobs, add_job, claim_job, get_job
from backend.database.leases import acquire_lease, release_lease
from backend.database.migrations import migrate
from backend.database.models.jobs import Job
from backend.database.universes import put_universe
from backend.services.clock import utc_now
from backend.services.errors import JobFailedError
from backend.services.ingest import sample_universe
from backend.services.ingest_batches import lease_name
from backend.services.jobs import REFRESH, InProcessQueue, Worker, run_job, watched_job
from backend.services.refresh import start_refresh
from support.outbox import Outbox
from support.stores import MemoryStore

NOW = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
UNIVERSE = "SAMPLE_US5"


@pytest.fixture
async def worker(database_url: str) -> AsyncIterator[Worker]:
    """A worker on both databases, which know the sample's universe and none of its bars."""
    migrate(database_url)
    engine = make_engine(database_url)
    async with transaction(engine) as connection:
        await put_universe(connection, sample_universe("us5"), known_at=utc_now())
    yield Worker(engine=engine, store=MemoryStore(), tiingo=lambda: None, concurrency=4)
    await engine.dispose()


async def begun(worker: Worker, queue: Outbox, *, key: str | None = None) -> str:
    job = await start_refresh(worker.engine, queue, UNIVERSE, lookback_days=7, idempotency_key=key)
    return job.id


async def stored(worker: Worker, job_id: str) -> JobRecord:
    async with transaction(worker.engine) as connection:
        return await get_job(connection, job_id)


async def without_a_file(worker: Worker) -> None:
    """Let the universe come from a file that is not there."""
    universe = replace(sample_universe("us5"), source="files", source_options={"path": "nowhere.csv"})
    async with transaction(worker.engine) as connection:
        await put_universe(connection, universe, known_at=utc_now())


async def test_a_refresh_ingests_and_builds_the_snapshot(worker: Worker) -> None:
    queue = Outbox()
    job_id = await begun(worker, queue)
    assert queue.sent == [job_id]
    job = await run_job(worker, job_id)
    assert (job.status, job.progress, job.attempts, job.error) == ("succeeded", 1.0, 1, None)
    # As in PROVENANCE.md: 3,270 sessions of AAPL, IBM and MSFT, 2,148 of GOOG and 196 of FB.
    assert job.result is not None
    assert job.result["inserted"] == 3 * 3270 + 2148 + 196
    assert isinstance(worker.store, MemoryStore)
    assert f"snapshots/{job.result['snapshot']}.json" in worker.store.objects


async def test_a_job_that_is_done_is_not_done_again(worker: Worker) -> None:
    job_id = await begun(worker, Outbox())
    first = await run_job(worker, job_id)
    assert await run_job(worker, job_id) == first


async def test_a_universe_that_is_being_refreshed_gives_the_job_that_does_it(worker: Worker) -> None:
    queue = Outbox()
    assert await begun(worker, queue) == await begun(worker, queue)
    assert len(queue.sent) == 1


async def test_after_its_end_the_next_refresh_is_another_job(worker: Worker) -> None:
    queue = Outbox()
    first = await begun(worker, queue)
    await run_job(worker, first)
    assert await begun(worker, queue) != first


async def test_an_idempotency_key_names_one_job_for_good(worker: Worker) -> None:
    queue = Outbox()
    first = await begun(worker, queue, key="monday")
    await run_job(worker, first)
    assert await begun(worker, queue, key="monday") == first
    assert len(queue.sent) == 1


async def test_what_is_not_there_is_not_begun(worker: Worker) -> None:
    queue = Outbox()
    with pytest.raises(UnknownUniverseError, match="MARS"):
        await start_refresh(worker.engine, queue, "MARS", lookback_days=7)
    with pytest.raises(UnknownJobError, match="nope"):
        await run_job(worker, "nope")
    assert queue.sent == []


async def test_of_many_workers_one_gets_the_job(worker: Worker) -> None:
    job_id = await begun(worker, Outbox())

    async def claim() -> bool:
        async with transaction(worker.engine) as connection:
            return await claim_job(connection, job_id, now=NOW)

    assert sorted(await asyncio.gather(*(claim() for _ in range(4)))) == [False, False, False, True]


async def test_another_run_at_the_universe_is_waited_for(worker: Worker) -> None:
    job_id = await begun(worker, Outbox())
    async with transaction(worker.engine) as connection:
        now = dt.datetime.now(dt.UTC)
        await acquire_lease(connection, lease_name(UNIVERSE), "somebody", ttl_s=60, now=now)
    working = asyncio.create_task(run_job(worker, job_id))
    async with asyncio.timeout(20):
        while (await stored(worker, job_id)).status != "running":  # noqa: ASYNC110  only the row can tell
            await asyncio.sleep(0)
    async with transaction(worker.engine) as connection:
        await release_lease(connection, lease_name(UNIVERSE), "somebody")
    job = await asyncio.wait_for(working, timeout=20)
    assert (job.status, job.attempts) == ("succeeded", 1)


async def test_a_failing_job_is_tried_twice_and_then_says_why(worker: Worker) -> None:
    await without_a_file(worker)
    job_id = await begun(worker, Outbox())
    ends = []
    for _ in range(3):
        with pytest.raises(JobFailedError, match=r"nowhere\.csv") as caught:
            await run_job(worker, job_id)
        ends.append(caught.value.is_final)
    # The third call finds the failure and tells of it again, so that a message that is delivered once more is kept.
    assert ends == [False, True, True]
    async with transaction(worker.engine) as connection:
        job = await get_job(connection, job_id)
    assert (job.status, job.attempts) == ("failed", 2)
    assert "nowhere.csv" in (job.error or "")


async def test_a_queue_of_this_process_tries_again_by_itself(worker: Worker) -> None:
    await without_a_file(worker)
    ended = asyncio.Event()

    async def run(job_id: str) -> object:
        try:
            return await run_job(worker, job_id)
        except JobFailedError as error:
            if error.is_final:
                ended.set()
            raise

    queue = InProcessQueue(run)
    job = await start_refresh(worker.engine, queue, UNIVERSE, lookback_days=7)
    await asyncio.wait_for(ended.wait(), timeout=20)
    await queue.close()
    async with transaction(worker.engine) as connection:
        assert (await get_job(connection, job.id)).attempts == 2


async def test_a_process_that_ends_says_so_in_the_row(worker: Worker) -> None:
    running = asyncio.Event()

    async def never() -> None:
        running.set()
        await asyncio.Event().wait()

    class SlowStore(MemoryStore):
        async def read_ref(self, key: str) -> None:  # noqa: ARG002  as in the base class
            await never()

    queue = InProcessQueue(lambda job_id: run_job(replace(worker, store=SlowStore()), job_id))
    job = await start_refresh(worker.engine, queue, UNIVERSE, lookback_days=7)
    await asyncio.wait_for(running.wait(), timeout=20)
    await queue.close()
    async with transaction(worker.engine) as connection:
        ended = await get_job(connection, job.id)
    assert (ended.status, ended.error) == ("failed", "its worker was stopped")


@pytest.mark.parametrize(
    ("status", "silent_for", "is_active", "is_free"),
    [
        ("queued", dt.timedelta(0), True, True),
        ("queued", WAIT, False, True),
        ("running", SILENCE - dt.timedelta(seconds=1), True, False),
        ("running", SILENCE, False, True),
        ("succeeded", SILENCE, False, False),
        ("failed", SILENCE, False, False),
    ],
)
async def test_a_job_whose_worker_fell_silent_may_be_taken_over(
    worker: Worker, status: str, silent_for: dt.timedelta, *, is_active: bool, is_free: bool
) -> None:
    async with transaction(worker.engine) as connection:
        await add_job(connection, "j", REFRESH, {"universe": UNIVERSE}, now=NOW - silent_for)
        await connection.execute(update(Job).values(status=status))
        assert [job.id for job in await active_jobs(connection, REFRESH, now=NOW)] == ["j"] * is_active
        assert await claim_job(connection, "j", now=NOW) is is_free


async def test_a_job_is_recorded_once(worker: Worker) -> None:
    async with transaction(worker.engine) as connection:
        assert await add_job(connection, "a" * 32, REFRESH, {"universe": UNIVERSE}, now=NOW)
        assert not await add_job(connection, "a" * 32, REFRESH, {"universe": "OTHER"}, now=NOW)
    assert (await stored(worker, "a" * 32)).payload == {"universe": UNIVERSE}


@pytest.mark.parametrize(
    ("status", "attempts", "silent_for", "becomes", "is_sent"),
    [
        ("running", 1, SILENCE, "queued", True),
        ("running", 2, SILENCE, "failed", False),
        ("queued", 0, WAIT, "queued", True),
        ("running", 2, SILENCE / 2, "running", False),
        ("queued", 1, SILENCE, "queued", False),
        ("succeeded", 1, WAIT, "succeeded", False),
        ("cancelled", 1, WAIT, "cancelled", False),
    ],
)
async def test_who_asks_for_a_lost_job_hands_it_out_again_or_lets_it_fail(
    worker: Worker, status: str, attempts: int, silent_for: dt.timedelta, *, becomes: str, is_sent: bool
) -> None:
    queue = Outbox()
    async with transaction(worker.engine) as connection:
        await add_job(connection, "j", REFRESH, {"universe": UNIVERSE}, now=utc_now() - silent_for)
        await connection.execute(update(Job).values(status=status, attempts=attempts))
    job = await watched_job(worker.engine, queue, "j")
    assert (job.status, job.attempts, queue.sent) == (becomes, attempts, ["j"] * is_sent)
    assert ("fell silent" in (job.error or "")) == (becomes == "failed")
    # Asked for again at once it is what it is.
    assert (await watched_job(worker.engine, queue, "j"), queue.sent) == (job, ["j"] * is_sent)


async def test_a_job_whose_worker_died_is_done_by_the_next(worker: Worker) -> None:
    queue = Outbox()
    job_id = await begun(worker, queue)
    async with transaction(worker.engine) as connection:
        assert await claim_job(connection, job_id, now=utc_now() - SILENCE)
    await watched_job(worker.engine, queue, job_id)
    assert queue.sent == [job_id] * 2
    job = await run_job(worker, job_id)
    assert (job.status, job.attempts) == ("succeeded", 2)
    with pytest.raises(UnknownJobError, match="nope"):
        await watched_job(worker.engine, queue, "nope")
