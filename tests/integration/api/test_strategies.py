"""/strategies."""

from __future__ import annotations

from httpx import AsyncClient


async def test_every_strategy_is_listed_with_a_schema_a_form_can_be_drawn_from(client: AsyncClient) -> None:
    listed = (await client.get("/strategies")).json()["data"]
    assert [item["key"] for item in listed] == [
        "buy_and_hold",
        "dual_momentum",
        "equal_weight",
        "hierarchical_risk_parity",
        "momentum",
        "sma_crossover",
    ]
    for item in listed:
        assert all("description" in field for field in item["parameters"]["properties"].values())


async def test_one_strategy_is_described(client: AsyncClient) -> None:
    found = (await client.get("/strategies/dual_momentum")).json()
    assert found["parameters"]["properties"]["lookback"]["default"] == 252
    assert found["rebalance"] == "monthly"


async def test_an_unknown_strategy_is_not_found(client: AsyncClient) -> None:
    answer = await client.get("/strategies/astrology")
    assert answer.status_code == 404
    assert "dual_momentum" in answer.json()["detail"]
