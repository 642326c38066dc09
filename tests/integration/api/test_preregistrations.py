"""Pre-registration over HTTP and as a use case: frozen once, extended to newer snapshots, samples kept apart."""

from __future__ import annotations

import datetime as dt

import pytest
from httpx import AsyncClient

from backend.config import Settings
from backend.database.connection import transaction
from backend.database.trials import count_trials
from backend.services.backtests import BacktestRequest
from backend.services.preregistrations import extend, extend_all, preregister
from support.platform import opened

SPEC = {"strategy": "equal_weight", "universe": "SAMPLE_US5"}
BODY = {"backtest": SPEC, "reason": "Equal parts beat the index."}


async def test_a_frozen_spec_keeps_its_moment_and_its_reason(client: AsyncClient) -> None:
    first = (await client.post("/backtest/preregistrations", json=BODY)).json()
    again = (await client.post("/backtest/preregistrations", json=BODY | {"reason": "Something else."})).json()
    assert again == first
    assert first["reason"] == BODY["reason"]
    assert (first["backtest_ids"], first["in_sample"], first["out_of_sample"]) == ([], None, None)
    other = {"backtest": SPEC | {"parameters": {"tickers": ["AAPL"]}}, "reason": "One."}
    assert (await client.post("/backtest/preregistrations", json=other)).json()["id"] != first["id"]
    listed = (await client.get("/backtest/preregistrations")).json()["data"]
    assert {row["id"] for row in listed} >= {first["id"]}


async def test_everything_that_was_chosen_is_extended(client: AsyncClient) -> None:
    chosen = SPEC | {
        "start": "2005-01-03",
        "costs": {"preset": "ibkr_us_fixed", "half_spread_bps": 3},
        "execution": {"rebalance": "weekly", "fractional_shares": False},
        "benchmark": "IBM",
        "constraints": {"max_weight": 0.2},
    }
    frozen = (await client.post("/backtest/preregistrations", json={"backtest": chosen, "reason": "x"})).json()
    extended = await client.post(f"/backtest/preregistrations/{frozen['id']}/extend")
    assert extended.status_code == 200, extended.text
    document = (await client.get(f"/backtest/{extended.json()['backtest_ids'][0]}")).json()
    assert {name: value for name, value in document["spec"].items() if name in frozen["spec"]} == frozen["spec"]


async def test_data_from_before_the_moment_are_never_out_of_sample(client: AsyncClient) -> None:
    # The sample ends in 2013: all of it could be known today.
    frozen = (await client.post("/backtest/preregistrations", json=BODY)).json()
    extended = (await client.post(f"/backtest/preregistrations/{frozen['id']}/extend")).json()
    assert len(extended["backtest_ids"]) == 1
    assert extended["out_of_sample"] is None
    document = (await client.get(f"/backtest/{extended['backtest_ids'][0]}")).json()
    assert extended["in_sample"]["n_returns"] == document["n_sessions"] - 1
    assert (await client.post(f"/backtest/preregistrations/{frozen['id']}/extend")).json() == extended
    assert (await client.get(f"/backtest/preregistrations/{frozen['id']}")).json() == extended


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"backtest": SPEC | {"end": "2012-01-03"}, "reason": "x"}, 422, "leave it out"),
        ({"backtest": SPEC | {"strategy": "astrology"}, "reason": "x"}, 422, "astrology"),
        ({"backtest": SPEC, "reason": ""}, 422, "reason"),
        ({"backtest": SPEC | {"universe": "MARS"}, "reason": "x"}, 404, "MARS"),
    ],
)
async def test_what_cannot_be_frozen_is_refused(
    client: AsyncClient, body: dict[str, object], status: int, words: str
) -> None:
    answer = await client.post("/backtest/preregistrations", json=body)
    assert (answer.status_code, words in answer.text) == (status, True)


async def test_what_was_never_frozen_is_not_found(client: AsyncClient) -> None:
    assert (await client.get("/backtest/preregistrations/nothing")).status_code == 404
    assert (await client.post("/backtest/preregistrations/nothing/extend")).status_code == 404


async def test_a_key_of_another_request_is_refused(client: AsyncClient) -> None:
    headers = {"Idempotency-Key": "k"}
    await client.post("/backtest/preregistrations", json=BODY, headers=headers)
    other = await client.post("/backtest/preregistrations", json=BODY | {"reason": "y"}, headers=headers)
    assert other.status_code == 409


async def test_samples_part_at_the_moment_and_an_extension_is_one_trial(sample_settings: Settings) -> None:
    # Frozen, as it were, in the evening of a session in the middle of the sample.
    moment = dt.datetime(2010, 6, 30, 21, tzinfo=dt.UTC)
    request = BacktestRequest(strategy="equal_weight", universe="SAMPLE_US5", start=dt.date(2010, 1, 4))
    async with opened(sample_settings) as resources:
        async with transaction(resources.engine) as connection:
            before = (await count_trials(connection)).get("equal_weight")
        record = await preregister(resources.engine, resources.store, request, reason="r", clock=lambda: moment)
        found = await extend(resources.engine, resources.store, record.id)
        assert await extend_all(resources.engine, resources.store, "SAMPLE_US20") == {}
        extended = await extend_all(resources.engine, resources.store, "SAMPLE_US5")
        assert extended == {record.id: found.backtest_ids[0]}
        async with transaction(resources.engine) as connection:
            after = (await count_trials(connection))["equal_weight"]
    assert found.in_sample is not None
    assert found.out_of_sample is not None
    assert (found.in_sample.last, found.out_of_sample.first) == (dt.date(2010, 6, 30), dt.date(2010, 7, 1))
    assert found.out_of_sample.probabilistic_sharpe is not None
    assert after.n_trials == (before.n_trials if before else 0) + 1
