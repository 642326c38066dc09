"""Health, and what is answered when a part is down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from httpx import AsyncClient

from backend.config import Settings
from backend.database.connection import make_engine
from backend.main import make_main_app
from support.platform import opened


@pytest.mark.parametrize("area", ["data", "strategies", "backtest"])
async def test_every_area_says_that_it_is_well(client: AsyncClient, area: str) -> None:
    answer = await client.get(f"/{area}/health")
    assert answer.status_code == 200
    assert answer.json() == {"version": "0.1.0", "schema_revision": "0006", "database": "ok", "cache": "ok"}


async def test_a_database_that_is_down_is_said_to_be_down(sample_settings: Settings) -> None:
    # Port 9 is discard: nothing listens there.
    down = make_engine("postgresql://u:very-secret@127.0.0.1:9/db", connect_timeout_s=0.2)
    async with opened(sample_settings) as resources:
        app = make_main_app(replace(resources, engine=down))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
            health = await http.get("/data/health")
            status = await http.get("/data/status")
    assert health.status_code == 503
    assert "127.0.0.1" in health.json()["database"]
    assert health.json()["cache"] == "ok"
    assert status.status_code == 503
    assert status.headers["retry-after"] == "5"
    assert "does not answer" in status.json()["detail"]
    assert "very-secret" not in health.text + status.text


async def test_a_truncated_object_is_caught_by_its_hash(client: AsyncClient, sample_settings: Settings) -> None:
    for path in (Path(sample_settings.cache_url) / "objects").iterdir():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    answer = await client.post("/backtest", json={"strategy": "equal_weight", "universe": "SAMPLE_US5"})
    assert answer.status_code == 500
    assert "objects/" in answer.json()["detail"]
