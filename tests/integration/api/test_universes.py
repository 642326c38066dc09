"""/data/universes: describe, list and change."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

MINE = {
    "key": "MY_ETFS",
    "currency": "AUD",
    "calendar": "XASX",
    "kind": "etf",
    "benchmark": "STW.AX",
    "members": [{"ticker": "VAS.AX", "start_date": "2020-01-02"}, {"ticker": "VGS.AX"}],
}


async def test_a_universe_of_ones_own_is_created_shown_and_listed(client: AsyncClient) -> None:
    answer = await client.post("/data/universes", json=MINE)
    assert answer.status_code == 201, answer.text
    shown = (await client.get("/data/universes/MY_ETFS")).json()
    told = {name: shown[name] for name in ("name", "kind", "currency", "calendar", "benchmark", "source")}
    assert told == {
        "name": "MY_ETFS",
        "kind": "etf",
        "currency": "AUD",
        "calendar": "XASX",
        "benchmark": "STW.AX",
        "source": "yahoo",
    }
    assert shown["members"] == [
        {"ticker": "VAS.AX", "start_date": "2020-01-02", "end_date": None},
        {"ticker": "VGS.AX", "start_date": "1900-01-01", "end_date": None},
    ]
    assert shown["list_date"] == shown["as_of"][:10]
    assert "MY_ETFS" in (await client.get("/data/universes")).json()
    assert {name: value for name, value in answer.json().items() if name != "as_of"} == {
        name: value for name, value in shown.items() if name != "as_of"
    }


async def test_creating_it_twice_is_harmless_and_creating_another_is_a_conflict(client: AsyncClient) -> None:
    headers = {"Idempotency-Key": "create-1"}
    assert [(await client.post("/data/universes", json=MINE, headers=headers)).status_code for _ in range(2)] == [
        201,
        201,
    ]
    other = await client.post("/data/universes", json=MINE | {"currency": "USD"})
    assert other.status_code == 409
    assert "choose a new key" in other.json()["detail"]
    reused = await client.post("/data/universes", json=MINE | {"key": "OTHER"}, headers=headers)
    assert reused.status_code == 409
    assert "Idempotency-Key" in reused.json()["detail"]


async def test_members_join_and_leave(client: AsyncClient) -> None:
    await client.post("/data/universes", json=MINE)
    day = {"date": "2024-02-01"}
    body = {"joins": [{"ticker": "A200.AX"} | day], "leaves": [{"ticker": "VGS.AX"} | day]}
    answer = await client.post("/data/universes/MY_ETFS/members", json=body)
    assert answer.status_code == 200, answer.text
    assert {name: answer.json()[name] for name in ("stays", "appended", "withdrawn")} == {
        "stays": 3,
        "appended": 2,
        "withdrawn": 0,
    }
    for on, expected in (("2024-01-31", ["VAS.AX", "VGS.AX"]), ("2024-02-01", ["A200.AX", "VAS.AX"])):
        shown = (await client.get("/data/universes/MY_ETFS", params={"on": on})).json()
        assert [member["ticker"] for member in shown["members"]] == expected


async def test_a_universe_of_the_registry_is_shown_before_it_is_stored(client: AsyncClient) -> None:
    shown = (await client.get("/data/universes/SPX500")).json()
    assert (shown["calendar"], shown["list_date"], shown["members"]) == ("XNYS", None, [])
    assert "SPX500" not in (await client.get("/data/universes")).json()


async def test_the_sample_has_no_gap_in_new_york(client: AsyncClient) -> None:
    """FB began in 2012, GOOG in 2004: before that they lack nothing."""
    gaps = (await client.get("/data/universes/SAMPLE_US5/gaps")).json()
    assert gaps == {
        "universe": "SAMPLE_US5",
        "calendar": "XNYS",
        "n_missing": 0,
        "n_tickers": 0,
        "n_off_session": 0,
        "tickers": [],
    }


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"calendar": "XASY"}, "XASX"),
        ({"currency": "XXY"}, "ISO 4217"),
        ({"currency": "aud"}, "currency"),
        ({"kind": "bond"}, "kind"),
        ({"source": "files"}, "source"),
        ({"key": "MY ETFS"}, "key"),
        ({"path": "bars.csv"}, "path"),
        ({"members": [{"ticker": ""}]}, "ticker"),
        ({"members": [{"ticker": "A", "start_date": "2020-01-02", "end_date": "2019-01-02"}]}, "before it has begun"),
        ({"members": [{"ticker": "A"}, {"ticker": "A", "start_date": "2020-01-02"}]}, "overlaps"),
        ({"members": [{"ticker": f"T{number}"} for number in range(5_001)]}, "5000"),
    ],
)
async def test_a_wrong_description_is_answered_with_the_field(
    client: AsyncClient, change: dict[str, object], word: str
) -> None:
    answer = await client.post("/data/universes", json=MINE | change)
    assert answer.status_code == 422, answer.text
    assert word in answer.json()["detail"]
    assert "MY_ETFS" not in (await client.get("/data/universes")).json()


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("MARS", {"joins": [{"ticker": "A", "date": "2024-01-02"}]}, 404, "MARS"),
        ("SAMPLE_US5", {"leaves": [{"ticker": "ENRON", "date": "2024-01-02"}]}, 422, "ENRON on 2024-01-02"),
        ("SAMPLE_US5", {"joins": [{"ticker": "IBM", "date": "2024-01-02"}]}, 422, "is a member from 2000-03-01 on"),
        ("SAMPLE_US5", {"members": []}, 422, "members"),
    ],
)
async def test_an_impossible_change_is_answered_with_the_reason(
    client: AsyncClient, path: str, body: dict[str, object], status: int, word: str
) -> None:
    answer = await client.post(f"/data/universes/{path}/members", json=body)
    assert answer.status_code == status, answer.text
    assert word in answer.json()["detail"]
