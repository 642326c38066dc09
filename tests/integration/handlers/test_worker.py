"""The worker Lambda: jobs, batches of sweeps, their end; what is malformed raises, for the dead letters."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from backend.config import Settings
from backend.database.connection import transaction
from backend.database.errors import UnknownSweepError
from backend.database.jobs import JobRecord, UnknownJobError, add_job, claim_job, get_job
from backend.services.backtests import BacktestRequest
from backend.services.errors import RequestError
from backend.services.jobs import REFRESH
from backend.services.sweeps.starting import SweepRequest, start_sweep
from strategy.sweeps.axes import Axis
from strategy.sweeps.expansion import Space
from support.containers import CONTEXT, Containers
from support.outbox import Outbox
from support.platform import opened


async def queued_refresh(settings: Settings) -> str:
    """Id of a job that waits for a worker."""
    async with opened(settings) as resources, transaction(resources.engine) as connection:
        payload = {"universe": "SAMPLE_US5", "lookback_days": 7}
        await add_job(connection, "job-1", REFRESH, payload, now=dt.datetime.now(dt.UTC))
    return "job-1"


async def mapped_sweep(settings: Settings) -> str:
    """Id of a sweep of two batches whose job is worked on, as after Step Functions were started."""
    base = BacktestRequest(strategy="dual_momentum", universe="SAMPLE_US5", start=dt.date(2008, 1, 2))
    request = SweepRequest(base=base, space=Space(axes={"lookback": Axis(values=(63, 126))}))
    async with opened(settings) as resources:
        begun = await start_sweep(resources.engine, resources.store, Outbox(), request, price=resources.price)
        async with transaction(resources.engine) as connection:
            assert await claim_job(connection, begun.job.id, now=dt.datetime.now(dt.UTC))
    assert begun.sweep.batch_size == 1
    return begun.sweep.id


async def job_of(settings: Settings, sweep_id: str) -> JobRecord:
    async with opened(settings) as resources, transaction(resources.engine) as connection:
        return await get_job(connection, sweep_id[:32])


def test_a_job_is_done_once(containers: Containers, sample_settings: Settings) -> None:
    event = {"job_id": asyncio.run(queued_refresh(sample_settings))}
    module = containers.load("backend.handlers.worker")
    expected = {"job_id": "job-1", "status": "succeeded"}
    assert [module.handler(event, CONTEXT), module.handler(event, CONTEXT)] == [expected, expected]


def test_batches_are_done_once_and_the_end_gathers_them(containers: Containers, sample_settings: Settings) -> None:
    sweep_id = asyncio.run(mapped_sweep(sample_settings))
    worker = containers.load("backend.handlers.worker").handler
    numbers = [1, 0, 1]  # in any order, and twice
    answers = [worker({"sweep_id": sweep_id, "batch": number}, CONTEXT) for number in numbers]
    assert answers == [{"status": "done"}, {"status": "done"}, {"status": "known"}]
    with pytest.raises(RequestError, match="the sweep has 2"):
        worker({"sweep_id": sweep_id, "batch": 2}, CONTEXT)
    ended = worker({"sweep_id": sweep_id, "finish": True}, CONTEXT)
    assert ended == {"job_id": sweep_id[:32], "status": "succeeded"}
    job = asyncio.run(job_of(sample_settings, sweep_id))
    assert job.result == {"sweep_id": sweep_id, "state": "complete", "n_done": 2}
    # Delivered again, or told of an error too late, the end stays what it was.
    assert worker({"sweep_id": sweep_id, "finish": True}, CONTEXT) == ended
    assert worker({"sweep_id": sweep_id, "finish": True, "error": "late"}, CONTEXT) == ended


def test_an_error_of_the_map_is_the_end_of_the_job(containers: Containers, sample_settings: Settings) -> None:
    sweep_id = asyncio.run(mapped_sweep(sample_settings))
    worker = containers.load("backend.handlers.worker").handler
    cause = "States.ExceedToleratedFailureThreshold: batch 1"
    ended = worker({"sweep_id": sweep_id, "finish": True, "error": cause}, CONTEXT)
    assert ended == {"job_id": sweep_id[:32], "status": "failed"}
    assert asyncio.run(job_of(sample_settings, sweep_id)).error == cause
    assert worker({"sweep_id": sweep_id, "batch": 0}, CONTEXT) == {"status": "cancelled"}


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({}, ValidationError),
        ({"job_id": ""}, ValidationError),
        ({"job_id": "a" * 65}, ValidationError),
        ({"job_id": "a", "force": True}, ValidationError),
        ({"sweep_id": "a"}, ValidationError),
        ({"sweep_id": "a", "batch": -1}, ValidationError),
        ({"sweep_id": "a", "batch": "first"}, ValidationError),
        ({"sweep_id": "a", "batch": 0, "finish": True}, ValidationError),
        ({"sweep_id": "a", "batch": 0}, UnknownSweepError),
        ({"sweep_id": "a", "finish": True}, UnknownSweepError),
        ({"job_id": "a"}, UnknownJobError),
    ],
)
def test_a_wrong_event_raises(event: dict[str, Any], error: type[Exception], containers: Containers) -> None:
    with pytest.raises(error):
        containers.load("backend.handlers.worker").handler(event, CONTEXT)
