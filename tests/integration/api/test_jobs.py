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


SPEC = {"strategy": "equal_weight", "universe": "SAMPLE_US5", "start": "2005-01-03", "end": "2006-12-29"}
ASYNC = {"Prefer": "wait=1, respond-async"}


async def test_a_long_backtest_is_a_job_with_the_result_it_would_have_at_once(client: AsyncClient) -> None:
    answer = await client.post("/backtest", json=SPEC, headers=ASYNC)
    job = answer.json()
    assert (answer.status_code, job["kind"]) == (202, "backtest")
    assert answer.headers["location"] == f"/api/v1/data/jobs/{job['id']}"
    assert answer.headers["preference-applied"] == "respond-async"
    twin = (await client.post("/backtest", json=SPEC, headers=ASYNC)).json()
    assert twin["id"] == job["id"]
    done = await ended(client, job["id"])
    assert done["status"] == "succeeded", done
    read = await client.get(f"/backtest/{done['result']['backtest_id']}")
    at_once = await client.post("/backtest", json=SPEC)
    known = await client.post("/backtest", json=SPEC, headers=ASYNC)
    assert read.content == at_once.content == known.content
    assert known.status_code == 200


async def test_what_is_wrong_with_a_long_backtest_is_said_at_once(client: AsyncClient) -> None:
    answer = await client.post("/backtest", json=SPEC | {"parameters": {"top": 3}}, headers=ASYNC)
    assert answer.status_code == 422
    assert "top" in answer.json()["detail"]


async def test_a_backtest_that_failed_says_why_and_can_be_asked_for_again(client: AsyncClient) -> None:
    # More than the portfolio at the first fill: found only by running it.
    body = SPEC | {"costs": {"preset": "zero", "flat": 50_000.0}}
    first = (await client.post("/backtest", json=body, headers=ASYNC)).json()
    failed = await ended(client, first["id"])
    assert failed["status"] == "failed"
    assert "exceed the portfolio's value" in failed["error"]
    again = (await client.post("/backtest", json=body, headers=ASYNC)).json()
    assert (again["id"], again["status"], again["error"]) == (first["id"], "queued", None)
