"""/data/factors, filled by the command that imports a file."""

from __future__ import annotations

import datetime as dt
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

from backend.config import Settings
from backend.database.connection import make_engine
from backend.services.factors import import_factors

FRENCH = ",SMB,HML\n19630701,0.02,-0.35\n19630702,-0.28,0.28\n"
MOMENT = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def _same(moment: dt.datetime) -> dt.datetime:
    return moment


@pytest.fixture
async def filled(sample_settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "ff.csv"
    engine = make_engine(sample_settings.async_source_url())
    for number, text in enumerate((FRENCH, FRENCH.replace("0.02", "0.05"))):
        path.write_text(text)
        now = MOMENT + dt.timedelta(days=number)
        await import_factors(engine, str(path), dataset="ff", clock=partial(_same, now))
    await engine.dispose()


async def body_of(client: AsyncClient, **params: str | int) -> dict[str, Any]:  # Any: JSON
    answer = await client.get("/data/factors", params={"dataset": "ff", "as_of": "2026-12-01T00:00:00Z", **params})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.usefixtures("filled")
async def test_values_come_as_fractions_with_what_is_known_of_each_name(client: AsyncClient, tmp_path: Path) -> None:
    body = await body_of(client, start="1963-07-02")
    assert body["data"] == [
        {"date": "1963-07-02", "name": "HML", "value": pytest.approx(0.0028)},
        {"date": "1963-07-02", "name": "SMB", "value": pytest.approx(-0.0028)},
    ]
    assert [(item["name"], item["first"], item["last"], item["n_values"]) for item in body["names"]] == [
        ("HML", "1963-07-01", "1963-07-02", 2),
        ("SMB", "1963-07-01", "1963-07-02", 2),
    ]
    assert (body["meta"]["source"], body["meta"]["as_of"]) == ([str(tmp_path / "ff.csv")], "2026-12-01T00:00:00Z")


@pytest.mark.usefixtures("filled")
async def test_as_of_shows_what_was_known_then(client: AsyncClient) -> None:
    for as_of, expected in (("2026-11-23T12:00:00Z", 0.0002), ("2026-11-24T12:00:00Z", 0.0005)):
        body = await body_of(client, as_of=as_of, names="SMB", end="1963-07-01")
        assert [row["value"] for row in body["data"]] == [pytest.approx(expected)]


@pytest.mark.usefixtures("filled")
async def test_pages_join_without_loss_and_csv_is_the_same(client: AsyncClient) -> None:
    whole = await body_of(client)
    first = await body_of(client, limit=3)
    rest = await body_of(client, limit=3, cursor=first["next_cursor"])
    assert first["data"] + rest["data"] == whole["data"]
    assert (whole["next_cursor"], rest["next_cursor"]) == (None, None)
    answer = await client.get(
        "/data/factors", params={"dataset": "ff", "format": "csv", "as_of": "2026-12-01T00:00:00Z"}
    )
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["X-Data-Hash"] == whole["meta"]["data_hash"]
    lines = [",".join(map(str, row.values())) for row in whole["data"]]
    assert answer.text.splitlines() == ["date,name,value", *lines]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"dataset": "nothing"}, "known are ff"),
        ({"names": "CMA"}, "the names are HML, SMB"),
        ({"names": ","}, "names"),
        ({"start": "1964-01-01", "end": "1963-01-01"}, "start"),
        ({"as_of": "2026-12-01T00:00:00"}, "as_of"),
        ({"cursor": "!"}, "cursor"),
        ({"limit": "0"}, "limit"),
        ({"from": "1963"}, "from"),
    ],
)
async def test_a_bad_request_is_refused_by_field(client: AsyncClient, params: dict[str, str], field: str) -> None:
    answer = await client.get("/data/factors", params={"dataset": "ff", **params})
    assert answer.status_code == 422, json.dumps(answer.json())
    assert field in answer.text
