"""/data/refresh and /data/jobs on the bundled sample."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from httpx import AsyncClient


async def ended(client: AsyncClient, job_id: str) -> dict[str, Any]:  # Any: JSON
    """The job once it has ended; the worker gets its turn while we ask."""
    async with asyncio.timeout(30):
        while True:
            job: dict[str, Any] = (await client.get(f"/data/jobs/{job_id}")).json()
            if job["status"] not in {"queued", "running"}:
                return job
            await asyncio.sleep(0.01)


async def test_a_refresh_is_accepted_and_can_be_watched(client: AsyncClient) -> None:
    answer = await client.post("/data/refresh", json={"universe": "SAMPLE_US5"})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/api/v1/data/jobs/{job['id']}"
    assert job["status"] in {"queued", "running"}
    done = await ended(client, job["id"])
    assert (done["status"], done["progress"], done["error"]) == ("succeeded", 1.0, None)
    # Everything is there already: five tickers, the sessions from Friday 2013-02-22 to Friday 2013-03-01.
    assert (done["result"]["inserted"], done["result"]["changed"], done["result"]["unchanged"]) == (0, 0, 5 * 6)


async def test_an_idempotency_key_begins_one_refresh(client: AsyncClient) -> None:
    headers = {"Idempotency-Key": "monday"}
    first = (await client.post("/data/refresh", json={"universe": "SAMPLE_US5"}, headers=headers)).json()
    await ended(client, first["id"])
    again = (await client.post("/data/refresh", json={"universe": "SAMPLE_US5"}, headers=headers)).json()
    assert (again["id"], again["status"]) == (first["id"], "succeeded")
    other = await client.post("/data/refresh", json={"universe": "SAMPLE_US20"}, headers=headers)
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"universe": "MARS"}, 404, "SAMPLE_US5"),
        ({"universe": "SAMPLE_US5", "lookback_days": -1}, 422, "lookback_days"),
        ({"universe": "SAMPLE_US5", "force": True}, 422, "force"),
        ({}, 422, "universe"),
    ],
)
async def test_a_wrong_refresh_is_answered_with_the_reason(
    client: AsyncClient, body: dict[str, object], status: int, word: str
) -> None:
    answer = await client.post("/data/refresh", json=body)
    assert answer.status_code == status, answer.text
    assert word in answer.json()["detail"]


async def test_a_job_that_never_was_is_not_found(client: AsyncClient) -> None:
    assert (await client.get("/data/jobs/nope")).status_code == 404
